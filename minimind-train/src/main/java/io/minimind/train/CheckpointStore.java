package io.minimind.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.files.JsonErrors;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The checkpoints of a run: one folder for each, {@code update-NNNNNNNN}, that holds the runtime's
 * {@code checkpoint} file, {@code state.json}, {@code batches} if their source keeps something, and
 * a checksum of these. A folder is filled under another name and then renamed, so that every one of
 * them is complete whenever the process dies.
 */
final class CheckpointStore {

  /** The file of weights and moments in the folder of a checkpoint. */
  static final String CHECKPOINT = "checkpoint";

  private static final String STATE = "state.json";
  private static final String BATCHES = "batches";
  private static final String CHECKSUM = "crc32c";
  private static final String PREFIX = "update-";
  private static final String REPLACED = "replaced-";
  private static final String UNFINISHED = "unfinished-";

  private final Path folder;
  private final int keep;

  /**
   * @param folder created on the first save
   * @param keep how many of the last checkpoints stay, at least 1; the best one stays too
   */
  CheckpointStore(Path folder, int keep) {
    this.folder = folder;
    this.keep = keep;
  }

  /**
   * Saves a checkpoint and deletes those that are no longer kept.
   *
   * @param write writes the runtime's checkpoint to the file it is given
   * @return the folder of the new checkpoint
   * @throws IOException if the model cannot be saved or written; older checkpoints are then
   *     untouched
   */
  Path save(TrainingState state, CheckpointWriter write) throws IOException {
    return save(state, new byte[0], write);
  }

  /**
   * The same, with the state of a source of batches.
   *
   * @param batches as {@link #batches} gives it again
   */
  Path save(TrainingState state, byte[] batches, CheckpointWriter write) throws IOException {
    Path target = folder.resolve(name(state.update()));
    Path unfinished = folder.resolve(UNFINISHED + target.getFileName());
    try {
      Files.createDirectories(folder);
      deleteUnfinished();
      Files.createDirectory(unfinished);
      Path checkpoint = unfinished.resolve(CHECKPOINT);
      write.write(checkpoint);
      force(checkpoint);
      write(unfinished.resolve(STATE), Json.MAPPER.writeValueAsBytes(state));
      if (batches.length > 0) {
        write(unfinished.resolve(BATCHES), batches);
      }
      write(unfinished.resolve(CHECKSUM), checksum(unfinished).getBytes(StandardCharsets.UTF_8));
      // There already if only a validation loss has come, or if a start is written anew.
      Path replaced = folder.resolve(REPLACED + target.getFileName());
      if (Files.exists(target)) {
        Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
      delete(replaced);
    } catch (IOException | RuntimeException e) {
      deleteUnfinished();
      // The disk need not be at fault: replicas of the model may differ.
      throw new IOException(
          "No checkpoint was written to %s: %s. Earlier ones are intact."
              .formatted(folder, reason(e)),
          e);
    }
    prune();
    return target;
  }

  /** Writes a checkpoint file. */
  @FunctionalInterface
  interface CheckpointWriter {
    void write(Path file) throws IOException;
  }

  /** The folders of all complete checkpoints, the newest first. */
  List<Path> checkpoints() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    restoreReplaced();
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> entry.getFileName().toString().startsWith(PREFIX))
          .sorted(Comparator.comparing((Path entry) -> entry.getFileName().toString()).reversed())
          .toList();
    }
  }

  /** A process that died while it put a checkpoint in the place of another left none there. */
  private void restoreReplaced() throws IOException {
    List<Path> replaced;
    try (Stream<Path> entries = Files.list(folder)) {
      replaced =
          entries.filter(entry -> entry.getFileName().toString().startsWith(REPLACED)).toList();
    }
    for (Path entry : replaced) {
      Path target = folder.resolve(entry.getFileName().toString().substring(REPLACED.length()));
      if (Files.exists(target)) {
        delete(entry);
      } else {
        Files.move(entry, target, StandardCopyOption.ATOMIC_MOVE);
      }
    }
  }

  /** Whether a checkpoint is that of the start weights. */
  static boolean isStart(Path checkpoint) {
    return checkpoint.getFileName().toString().equals(name(0));
  }

  private static String name(long update) {
    return String.format(Locale.ROOT, "%s%08d", PREFIX, update);
  }

  Optional<Path> latest() throws IOException {
    return checkpoints().stream().findFirst();
  }

  /**
   * The state that a checkpoint was saved in, after the checkpoint was compared with its checksum.
   *
   * @throws IOException if the checkpoint is damaged; the message says what to do
   */
  static TrainingState verify(Path checkpoint) throws IOException {
    TrainingState state = read(checkpoint);
    boolean complete =
        Stream.of(CHECKPOINT, CHECKSUM).map(checkpoint::resolve).allMatch(Files::isRegularFile);
    if (!complete || !checksum(checkpoint).equals(text(checkpoint.resolve(CHECKSUM)))) {
      throw damaged(checkpoint, "its contents are not what was saved", null);
    }
    return state;
  }

  /**
   * The weights of the model that was saved in a checkpoint.
   *
   * @param adapters those that were trained, which are merged into the weights, if any
   * @throws IOException if the file is damaged
   */
  static List<NamedTensor> weights(
      Path checkpoint, ModelConfig model, Optional<LowRankAdapters> adapters) throws IOException {
    TrainingCheckpoint saved = TrainingCheckpoint.read(checkpoint.resolve(CHECKPOINT));
    // An objective may have parameters and models of its own.
    List<Parameter> all = new Parameters(model).all();
    return adapters.isEmpty()
        ? those(all, saved.trainable())
        : adapters
            .get()
            .merged(
                model,
                those(all, saved.frozen()),
                those(adapters.get().parameters(model), saved.trainable()));
  }

  /** Those tensors that are of these parameters. */
  static List<NamedTensor> those(List<Parameter> parameters, List<NamedTensor> tensors) {
    Set<String> names = parameters.stream().map(Parameter::name).collect(Collectors.toSet());
    return tensors.stream().filter(tensor -> names.contains(tensor.name())).toList();
  }

  /** The parameters that were trained: those of the adapters where there are some. */
  static List<NamedTensor> trained(Path checkpoint) throws IOException {
    return TrainingCheckpoint.read(checkpoint.resolve(CHECKPOINT)).trainable();
  }

  /** What the source of batches kept with a checkpoint; empty if it kept nothing. */
  static byte[] batches(Path checkpoint) throws IOException {
    Path file = checkpoint.resolve(BATCHES);
    return Files.exists(file) ? InputFile.bytes(file) : new byte[0];
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }

  private static TrainingState read(Path checkpoint) throws IOException {
    try {
      byte[] json = InputFile.bytes(checkpoint.resolve(STATE));
      return Optional.ofNullable(TrainingState.fromJson(json))
          .orElseThrow(() -> damaged(checkpoint, STATE + " is empty", null));
    } catch (JsonProcessingException e) {
      throw damaged(checkpoint, STATE + " is not valid: " + JsonErrors.reason(e), e);
    } catch (NoSuchFileException e) {
      throw damaged(checkpoint, STATE + " is missing", e);
    }
  }

  private static IOException damaged(Path checkpoint, String what, Exception cause) {
    return new InputException(
        "The checkpoint %s is damaged: %s. Delete this folder to go on from the one before it."
            .formatted(checkpoint, what),
        cause);
  }

  private void prune() throws IOException {
    List<Path> newestFirst = checkpoints();
    Optional<Path> best;
    try {
      best = best(newestFirst);
    } catch (InputException e) {
      // An older one is damaged, and may be the best: the save succeeded, so nothing is deleted.
      return;
    }
    for (Path checkpoint :
        newestFirst.subList(Math.min(keep, newestFirst.size()), newestFirst.size())) {
      if (!best.equals(Optional.of(checkpoint))) {
        delete(checkpoint);
      }
    }
  }

  private static Optional<Path> best(List<Path> checkpoints) throws IOException {
    Optional<Path> best = Optional.empty();
    double lowest = Double.POSITIVE_INFINITY;
    for (Path checkpoint : checkpoints) {
      double loss = read(checkpoint).validationLoss().orElse(Double.POSITIVE_INFINITY);
      if (loss < lowest) {
        lowest = loss;
        best = Optional.of(checkpoint);
      }
    }
    return best;
  }

  /** The checkpoint with the lowest validation loss, if any was validated. */
  Optional<Path> best() throws IOException {
    return best(checkpoints());
  }

  private void deleteUnfinished() {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.toList()) {
        if (entry.getFileName().toString().startsWith(UNFINISHED)) {
          delete(entry);
        }
      }
    } catch (IOException e) {
      // What is left over is deleted by the next save; it is never read.
    }
  }

  private static void delete(Path checkpoint) throws IOException {
    if (!Files.exists(checkpoint)) {
      return;
    }
    // Renamed first, so that a half-deleted folder is never taken for a checkpoint.
    Path doomed = checkpoint.resolveSibling(UNFINISHED + "deleted-" + checkpoint.getFileName());
    Path source = checkpoint;
    if (!checkpoint.getFileName().toString().startsWith(UNFINISHED)) {
      source = Files.move(checkpoint, doomed, StandardCopyOption.ATOMIC_MOVE);
    }
    Folders.delete(source);
  }

  private static void force(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  private static void write(Path file, byte[] contents) throws IOException {
    Files.write(file, contents);
    force(file);
  }

  /** The CRC-32C of the checkpoint file and then the states, in hexadecimal. */
  private static String checksum(Path checkpoint) throws IOException {
    CRC32C crc = new CRC32C();
    byte[] buffer = new byte[1 << 20];
    List<String> names = new ArrayList<>(List.of(CHECKPOINT, STATE));
    if (Files.exists(checkpoint.resolve(BATCHES))) {
      names.add(BATCHES);
    }
    for (String name : names) {
      try (InputStream in = InputFile.open(checkpoint.resolve(name))) {
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
          crc.update(buffer, 0, read);
        }
      }
    }
    return "%08x".formatted(crc.getValue());
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message.replaceAll("[.\\s]+$", "");
  }
}
