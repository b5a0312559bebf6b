package io.minimind.data.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.AtomicFile;
import io.minimind.files.Folders;
import io.minimind.files.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * Downloads files of a data set, several at once. What has arrived of a file lies in {@code
 * FILE.part} and is kept, so a download that broke goes on where it was. A file gets its name when
 * it has the size and the checksum that the hub says; {@code download.json} tells what came from
 * where.
 */
public final class DatasetDownload {

  /** What stands beside the files when all are here. */
  public static final String MANIFEST = "download.json";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final int PIECE = 1 << 16;
  private static final int PARALLEL = 4;

  /** Told how far it is, by several threads. */
  @FunctionalInterface
  public interface Progress {

    /** How many bytes of how many are here. */
    void update(long bytes, long total);
  }

  private final DatasetHub hub;
  private final Transfer transfer;
  private final DatasetHub.Listing listing;

  private DatasetDownload(DatasetHub hub, Transfer transfer, DatasetHub.Listing listing) {
    this.hub = hub;
    this.transfer = transfer;
    this.listing = listing;
  }

  /**
   * Asks the hub for its list.
   *
   * @param token is sent to the hub, and to no other host
   * @throws IOException with one sentence, if the hub cannot be reached or has no such data set
   * @throws IllegalArgumentException if the token cannot be one
   */
  public static DatasetDownload open(DatasetHub hub, Optional<String> token) throws IOException {
    return open(hub, token, Transfer.Persistence.DEFAULT);
  }

  static DatasetDownload open(
      DatasetHub hub, Optional<String> token, Transfer.Persistence persistence) throws IOException {
    Transfer transfer = new Transfer(hub.base(), token, persistence);
    try {
      return new DatasetDownload(hub, transfer, hub.list(transfer));
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(
          "The list of %s cannot be had from %s: %s."
              .formatted(hub.dataset(), hub.base(), e.getMessage()),
          e);
    }
  }

  /** The files of the data set. */
  public List<DatasetHub.File> files() {
    return List.copyOf(listing.files());
  }

  /**
   * Downloads files into a folder.
   *
   * @param wanted which of them
   * @return the paths whose content nothing vouches for, because the hub says no checksum
   * @throws IOException with one sentence that names the file; what has arrived is kept
   */
  public List<String> to(Path folder, Predicate<DatasetHub.File> wanted, Progress progress)
      throws IOException {
    List<DatasetHub.File> files = listing.files().stream().filter(wanted).toList();
    if (files.isEmpty()) {
      throw new IOException(
          "The data set %s has no such files: it has %s."
              .formatted(
                  hub.dataset(),
                  listing.files().stream().map(DatasetHub.File::path).limit(20).toList()));
    }
    Folders.create(folder);
    long total = files.stream().mapToLong(DatasetHub.File::size).sum();
    AtomicLong arrived = new AtomicLong();
    List<String> unchecked = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(PARALLEL);
    try {
      List<Future<Boolean>> checked = new ArrayList<>();
      for (DatasetHub.File file : files) {
        checked.add(
            threads.submit(
                () ->
                    fetch(file, folder, more -> progress.update(arrived.addAndGet(more), total))));
      }
      for (int i = 0; i < files.size(); i++) {
        if (!result(checked.get(i))) {
          unchecked.add(files.get(i).path());
        }
      }
    } finally {
      threads.shutdownNow();
    }
    writeManifest(folder, files);
    return unchecked;
  }

  private static boolean result(Future<Boolean> file) throws IOException {
    try {
      return file.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("The download was interrupted; it can be resumed.");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Told how many bytes more there are; fewer where a part was of no use. */
  private interface More {
    void add(long bytes);
  }

  private boolean fetch(DatasetHub.File file, Path folder, More more) throws IOException {
    Path target = folder.resolve(file.path());
    Path part = target.resolveSibling(target.getFileName() + ".part");
    try {
      Files.createDirectories(target.toAbsolutePath().getParent());
      if (Files.isRegularFile(target) && isRight(file, target)) {
        more.add(file.size());
        return isCheckable(file);
      }
      if (!isCheckable(file)) {
        Files.deleteIfExists(part); // Of which state of the file it is, nothing would tell.
      }
      URI address = hub.file(file.path(), listing.commit().orElse(hub.revision()));
      long[] counted = {0};
      boolean whole =
          transfer.persistently(
              () -> {
                receive(file, address, part, more, counted);
                if (isRight(file, part)) {
                  return true;
                }
                // It may have changed on the way, once; begun anew, it is what it is.
                Files.deleteIfExists(part);
                more.add(-counted[0]);
                counted[0] = 0;
                throw new IOException("what arrived is not what the hub's checksum says");
              });
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      return whole && isCheckable(file);
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(
          "%s cannot be downloaded from %s: %s."
              .formatted(file.path(), hub.base(), AtomicFile.reason(e)),
          e);
    }
  }

  private void receive(DatasetHub.File file, URI address, Path part, More more, long[] counted)
      throws IOException {
    long have = Files.exists(part) ? Files.size(part) : 0;
    if (have > file.size()) {
      Files.delete(part);
      have = 0;
    }
    count(have, more, counted);
    if (have == file.size() && have > 0) {
      return;
    }
    HttpResponse<InputStream> response = transfer.get(address, have);
    try (InputStream body = transfer.body(response);
        FileChannel out =
            FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      // Only an answer that says that it goes on where we are does so.
      if (have > 0 && !continues(response, have, file.size())) {
        have = 0;
        count(0, more, counted);
      }
      out.truncate(have);
      out.position(have);
      byte[] piece = new byte[PIECE];
      for (int read = body.read(piece); read >= 0; read = body.read(piece)) {
        have += read;
        if (have > file.size()) {
          out.truncate(0);
          count(0, more, counted);
          throw new IOException(
              "more than the %,d bytes arrive that the hub says".formatted(file.size()));
        }
        write(out, ByteBuffer.wrap(piece, 0, read), part);
        count(have, more, counted);
      }
      out.force(true);
    }
    if (have < file.size()) {
      throw new IOException(
          "the connection broke after %,d of %,d bytes".formatted(have, file.size()));
    }
  }

  private static void write(FileChannel out, ByteBuffer piece, Path part) throws IOException {
    try {
      AtomicFile.write(out, piece);
    } catch (IOException e) {
      throw new FileSystemException(part.toString(), null, e.getMessage()); // A full disk, mostly.
    }
  }

  private static void count(long have, More more, long[] counted) {
    more.add(have - counted[0]);
    counted[0] = have;
  }

  private static boolean continues(HttpResponse<?> response, long from, long size) {
    String range = "bytes " + from + "-" + (size - 1) + "/" + size;
    return response.statusCode() == 206
        && response.headers().firstValue("Content-Range").filter(range::equals).isPresent();
  }

  private static boolean isCheckable(DatasetHub.File file) {
    return file.sha256().isPresent() || file.gitBlob().isPresent();
  }

  private static boolean isRight(DatasetHub.File file, Path path) throws IOException {
    if (Files.size(path) != file.size()) {
      return false;
    }
    if (file.sha256().isPresent()) {
      return Sha256.of(path).equals(file.sha256().get());
    }
    return file.gitBlob().isEmpty() || gitBlob(path).equals(file.gitBlob().get());
  }

  /** The SHA-1 of a header with the size, and the content. */
  private static String gitBlob(Path path) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    digest.update(("blob " + Files.size(path) + "\0").getBytes(StandardCharsets.US_ASCII));
    try (InputStream in = Files.newInputStream(path)) {
      byte[] piece = new byte[PIECE];
      for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
        digest.update(piece, 0, read);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private void writeManifest(Path folder, List<DatasetHub.File> files) throws IOException {
    ObjectNode manifest = JSON.createObjectNode();
    manifest.put("hub", hub.base().toString());
    manifest.put("dataset", hub.dataset());
    manifest.put("revision", hub.revision());
    listing.commit().ifPresent(commit -> manifest.put("commit", commit));
    ArrayNode list = manifest.putArray("files");
    for (DatasetHub.File file : files) {
      list.addObject()
          .put("path", file.path())
          .put("size", file.size())
          .put("sha256", Sha256.of(folder.resolve(file.path())));
    }
    AtomicFile.replace(folder.resolve(MANIFEST), JSON.writeValueAsBytes(manifest));
  }
}
