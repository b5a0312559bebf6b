package io.minimind.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.AtomicFile;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.CharConversionException;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The file that a preparation writes, which remembers from time to time how far it is. */
final class PreparedFile implements Closeable {

  /** So many rows are read again at most after a kill. */
  private static final int SAVED_EVERY = 5000;

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * How far it is.
   *
   * @param origin of what and how it is made
   * @param rows read so far
   * @param written of them
   * @param bytes that these have
   * @param leftOut how many of them for which reason
   */
  private record Progress(
      String origin, long rows, long written, long bytes, Map<String, Long> leftOut) {}

  private final Path target;
  private final String origin;
  private final FileChannel channel;
  private final OutputStream out;
  private final Map<String, Long> leftOut;
  private long rows;
  private long written;

  private PreparedFile(Path target, Progress from) throws IOException {
    this.target = target;
    origin = from.origin;
    rows = from.rows;
    written = from.written;
    leftOut = new TreeMap<>(from.leftOut);
    Folders.create(target.toAbsolutePath().getParent());
    channel = FileChannel.open(partial(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    channel.truncate(from.bytes);
    channel.position(from.bytes);
    out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
  }

  /**
   * Begins a file, or goes on with one.
   *
   * @param origin of what and how it is made; what another origin has left is begun anew
   */
  static PreparedFile open(Path target, String origin) throws IOException {
    try {
      return new PreparedFile(
          target, saved(target, origin).orElse(new Progress(origin, 0, 0, 0, Map.of())));
    } catch (IOException e) {
      throw unwritable(target, e);
    }
  }

  private static Optional<Progress> saved(Path target, String origin) throws IOException {
    Path file = beside(target, ".progress");
    Path partial = beside(target, ".partial");
    if (!Files.exists(file) || !Files.exists(partial)) {
      return Optional.empty();
    }
    try {
      Progress progress = JSON.readValue(Files.readAllBytes(file), Progress.class);
      return Optional.of(progress)
          .filter(one -> one.origin.equals(origin))
          .filter(one -> one.bytes <= partial.toFile().length());
    } catch (JsonProcessingException | CharConversionException e) {
      return Optional.empty(); // Another program's file, or a damaged one.
    }
  }

  private static Path beside(Path target, String ending) {
    return target.resolveSibling(target.getFileName() + ending);
  }

  private Path partial() {
    return beside(target, ".partial");
  }

  /** Rows that were read, written or not. */
  long rows() {
    return rows;
  }

  /** Hands over the texts that are written already. */
  void forEachText(Consumer<String> consumer) throws IOException {
    try (BufferedReader lines = Files.newBufferedReader(partial())) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        consumer.accept(JSON.readTree(line).path("text").asText());
      }
    } catch (JsonProcessingException | CharacterCodingException e) {
      throw new InputException(partial() + " is damaged: delete it to begin anew.", e);
    }
  }

  void write(String text) throws IOException {
    ObjectNode line = JSON.createObjectNode().put("text", text);
    try {
      out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw unwritable(target, e);
    }
    written++;
    counted();
  }

  void leaveOut(String reason) throws IOException {
    leftOut.merge(reason, 1L, Long::sum);
    counted();
  }

  private void counted() throws IOException {
    if (++rows % SAVED_EVERY == 0) {
      try {
        out.flush();
        channel.force(true);
      } catch (IOException e) {
        throw unwritable(target, e);
      }
      Progress progress = new Progress(origin, rows, written, channel.position(), leftOut);
      AtomicFile.replace(beside(target, ".progress"), JSON.writeValueAsBytes(progress));
    }
  }

  /** Gives the file its name. */
  CorpusPreparation.Result complete() throws IOException {
    try {
      out.flush();
      channel.force(true);
      channel.close();
      Files.move(partial(), target, StandardCopyOption.ATOMIC_MOVE);
      Files.deleteIfExists(beside(target, ".progress"));
    } catch (IOException e) {
      throw unwritable(target, e);
    }
    return new CorpusPreparation.Result(written, Map.copyOf(leftOut));
  }

  private static IOException unwritable(Path target, IOException e) {
    return new IOException("Cannot write " + target + ": " + AtomicFile.reason(e) + ".", e);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
