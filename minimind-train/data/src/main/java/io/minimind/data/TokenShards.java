package io.minimind.data;

import io.minimind.artifact.BatchInput;
import io.minimind.data.Manifest.Fingerprint;
import io.minimind.data.Manifest.Shard;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.CutFiles;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

/**
 * The samples of a corpus, encoded once and kept in memory-mapped files, so that a corpus of any
 * size takes no heap. They are used again as long as the rows, the tokenizer and the encoding stay
 * the same. Each sample is checked against its checksum when it is read.
 */
public final class TokenShards implements Samples {
  // A mapped buffer ends at 2 GiB; smaller shards also keep a failed write cheap.
  static final long MAX_SHARD_BYTES = 512L << 20;

  private static final String PARTIAL = ".partial";

  private final Path folder;
  private final Manifest manifest;
  private final ColumnLayout columns;
  private final MappedShard[] shards;
  private final long[] firstSamples;
  private final long size;
  private final long tokens;
  private final int longest;

  private TokenShards(Path folder, Manifest manifest, ColumnLayout columns) throws IOException {
    this.folder = folder;
    this.manifest = manifest;
    this.columns = columns;
    int count = manifest.shards().size();
    shards = new MappedShard[count];
    firstSamples = new long[count];
    long samples = 0;
    long ids = 0;
    int most = 0;
    for (int i = 0; i < count; i++) {
      Shard shard = manifest.shards().get(i);
      shards[i] = MappedShard.open(folder, shard, manifest.fingerprint().tokenBytes(), columns);
      firstSamples[i] = samples;
      samples += shard.samples();
      ids += shard.tokens();
      most = Math.max(most, shards[i].longest());
    }
    if (samples != (manifest.rows() - manifest.skippedRows()) * groupSize()
        || !skippedList().map(Files::exists).orElse(true)) {
      throw new InputException("The token shards in " + folder + " are not complete.");
    }
    size = samples;
    tokens = ids;
    longest = most;
  }

  /**
   * Opens the shards of a corpus, encoding it first if there are none for its present state.
   * Damaged shards are encoded anew, those of an earlier state of the rows are deleted.
   *
   * @param cache the folder that keeps shards of all corpora; created if missing
   * @param source rows with the encoder's columns
   * @throws IOException if the rows cannot be read, or the shards cannot be written; the message is
   *     one sentence
   */
  public static TokenShards openOrBuild(
      Path cache, Rows source, SampleEncoder encoder, EncodingProgress progress)
      throws IOException {
    return openOrBuild(cache, source, encoder, progress, MAX_SHARD_BYTES);
  }

  /**
   * The same of several processes, all of which ask for it. If they share the folder, they encode
   * together what lacks: all read the rows, each encodes a share of them, the first writes. Else
   * each encodes all rows for itself at the same time.
   *
   * @param group of the processes
   */
  public static TokenShards openOrBuild(
      Path cache, Rows source, SampleEncoder encoder, EncodingProgress progress, ProcessGroup group)
      throws IOException {
    return openOrBuild(cache, source, encoder, progress, MAX_SHARD_BYTES, group);
  }

  static TokenShards openOrBuild(
      Path cache, Rows source, SampleEncoder encoder, EncodingProgress progress, long maxShardBytes)
      throws IOException {
    Helpers nobody = needed -> ProcessGroup.alone();
    return openOrBuild(cache, source, encoder, progress, maxShardBytes, Set.of(), nobody);
  }

  static TokenShards openOrBuild(
      Path cache,
      Rows source,
      SampleEncoder encoder,
      EncodingProgress progress,
      long maxShardBytes,
      ProcessGroup group)
      throws IOException {
    source.open(encoder.columns()).close(); // Says what is wrong before the others begin.
    if (group.size() == 1 || !isShared(cache, group)) {
      return openOrBuild(cache, source, encoder, progress, maxShardBytes);
    }
    Fingerprint fingerprint = Fingerprint.of(source, encoder);
    Set<String> used = namesOfAll(group, name(source, fingerprint));
    if (group.isFirst()) {
      Helpers others = needed -> group.any(needed) ? group : ProcessGroup.alone();
      TokenShards shards =
          openOrBuild(cache, source, encoder, progress, maxShardBytes, used, others);
      group.await();
      return shards;
    }
    if (group.any(false)) {
      new ShardBuilder(source, encoder, fingerprint, group).help();
    }
    group.await();
    Helpers nobody = needed -> ProcessGroup.alone();
    return openOrBuild(cache, source, encoder, progress, maxShardBytes, used, nobody);
  }

  /**
   * What the processes call their shards. The rows of each may have another place and another time
   * of their last change, so that these are several.
   */
  private static Set<String> namesOfAll(ProcessGroup group, String own) {
    return group.gather(own.getBytes(StandardCharsets.UTF_8)).stream()
        .map(name -> new String(name, StandardCharsets.UTF_8))
        .collect(Collectors.toSet());
  }

  private static boolean isShared(Path cache, ProcessGroup group) throws IOException {
    try {
      Files.createDirectories(cache);
      return group.isShared(cache);
    } catch (FileSystemException e) {
      throw unwritable(cache, e);
    }
  }

  /** Is told whether rows must be encoded, and says by whom. */
  @FunctionalInterface
  private interface Helpers {
    ProcessGroup of(boolean needed);
  }

  // One build at a time in this process; the file lock below does the same between processes.
  private static synchronized TokenShards openOrBuild(
      Path cache,
      Rows source,
      SampleEncoder encoder,
      EncodingProgress progress,
      long maxShardBytes,
      Set<String> used,
      Helpers helpers)
      throws IOException {
    // Says what is wrong with a file before its size and age are asked for.
    source.open(encoder.columns()).close();
    Fingerprint fingerprint = Fingerprint.of(source, encoder);
    ColumnLayout columns = new ColumnLayout(encoder.inputs());
    Path folder = cache.resolve(name(source, fingerprint));
    try {
      Files.createDirectories(cache);
      try (FileChannel channel =
          FileChannel.open(
              cache.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        if (channel.tryLock() == null) {
          progress.waiting();
          channel.lock();
        }
        if (Files.exists(folder)) {
          try {
            TokenShards found = open(folder, fingerprint, columns);
            helpers.of(false);
            return found;
          } catch (IOException e) {
            progress.rebuilding(e.getMessage());
            Folders.delete(folder);
          }
        }
        ShardBuilder builder = new ShardBuilder(source, encoder, fingerprint, helpers.of(true));
        build(folder, builder, maxShardBytes, progress);
        deleteOutdated(cache, fingerprint, used);
        return open(folder, fingerprint, columns);
      }
    } catch (FileSystemException e) {
      throw unwritable(cache, e);
    }
  }

  /**
   * The last part of the rows' name, as every file system takes it, and what tells states apart.
   */
  private static String name(Rows source, Fingerprint fingerprint) {
    String name = source.name().replaceFirst("[/\\\\]+$", "").replaceFirst(".*[/\\\\]", "");
    return name.replaceAll("[<>:\"|?*\\p{Cntrl}]", "_") + "-" + fingerprint.shortHash();
  }

  private static TokenShards open(Path folder, Fingerprint fingerprint, ColumnLayout columns)
      throws IOException {
    Manifest manifest;
    try {
      manifest = Manifest.read(folder);
    } catch (IOException e) {
      throw new InputException("The manifest of the token shards in " + folder + " is damaged.", e);
    }
    if (!fingerprint.equals(manifest.fingerprint())) {
      throw new InputException("The token shards in " + folder + " belong to something else.");
    }
    return new TokenShards(folder, manifest, columns);
  }

  private static void build(
      Path folder, ShardBuilder builder, long maxShardBytes, EncodingProgress progress)
      throws IOException {
    Path partial = folder.resolveSibling(folder.getFileName() + PARTIAL);
    Folders.delete(partial);
    Files.createDirectory(partial);
    try {
      Manifest manifest = builder.build(partial, maxShardBytes, progress);
      try {
        manifest.write(partial);
      } catch (IOException e) {
        throw unwritable(partial, e);
      }
      builder.requireUnchanged();
      Files.move(partial, folder, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Folders.delete(partial);
    }
  }

  static IOException unwritable(Path folder, IOException cause) {
    return new IOException(
        "The token shards cannot be written to "
            + folder
            + " ("
            + reason(cause)
            + "): free some space, or choose another folder for them.",
        cause);
  }

  private static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException) {
      return "it is a file";
    }
    return e instanceof FileSystemException file && file.getReason() == null
        ? e.getClass().getSimpleName()
        : e.getMessage();
  }

  /**
   * While the lock is held, a folder that is not complete was left by a run that was killed.
   *
   * @param used names of folders that processes of this run have open, or will
   */
  private static void deleteOutdated(Path cache, Fingerprint current, Set<String> used)
      throws IOException {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(cache, Files::isDirectory)) {
      for (Path folder : folders) {
        try {
          String name = folder.getFileName().toString();
          if (name.matches(".*-[0-9a-f]{16}\\" + PARTIAL)
              || !used.contains(name)
                  && Manifest.read(folder).fingerprint().sameSourceChanged(current)) {
            Folders.delete(folder);
          }
        } catch (IOException e) {
          // Not ours, or in use: it costs space, nothing else.
        }
      }
    }
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public int groupSize() {
    return manifest.fingerprint().samplesPerRow();
  }

  @Override
  public int longest() {
    return longest;
  }

  /** Where they lie; files beside them go when they go. */
  public Path folder() {
    return folder;
  }

  /** Number of tokens of all samples. */
  public long tokens() {
    return tokens;
  }

  /** Number of tokens of all samples that count in the loss. */
  public long targets() {
    return manifest.targets();
  }

  /**
   * What tells these samples from others, wherever the file lies: the CRC-32C of the checksums of
   * all samples, in hexadecimal.
   */
  public String checksum() {
    CRC32C checksum = new CRC32C();
    for (Shard shard : manifest.shards()) {
      checksum.update(ByteBuffer.allocate(Long.BYTES).putLong(0, shard.indexChecksum()));
    }
    return "%08x".formatted(checksum.getValue());
  }

  /** Number of rows that gave no sample. */
  public long skippedRows() {
    return manifest.skippedRows();
  }

  /** A text file with a line for each row that gave no sample, and why; if there are any. */
  public Optional<Path> skippedList() {
    return skippedRows() == 0 ? Optional.empty() : Optional.of(folder.resolve(ShardWriter.SKIPPED));
  }

  @Override
  public int length(long index) {
    int shard = shardOf(index);
    return shards[shard].length((int) (index - firstSamples[shard]));
  }

  @Override
  public int read(long index, int[] ids, boolean[] targets) throws IOException {
    int shard = shardOf(index);
    int sample = (int) (index - firstSamples[shard]);
    try {
      if (shards[shard].intact(sample)) {
        return shards[shard].read(sample, ids, targets);
      }
    } catch (InternalError e) {
      if (!CutFiles.isCut(e)) {
        throw e;
      }
    }
    throw new InputException(
        String.format(
            "Sample %d of the token shards in %s is damaged: delete that folder, and the next run"
                + " encodes %s anew.",
            index, folder, manifest.fingerprint().source()));
  }

  @Override
  public List<BatchInput> columns() {
    return columns.columns();
  }

  @Override
  public void readColumn(long index, int column, float[] values) {
    int shard = shardOf(index);
    shards[shard].readColumn((int) (index - firstSamples[shard]), column, values);
  }

  private int shardOf(long index) {
    Objects.checkIndex(index, size);
    int found = Arrays.binarySearch(firstSamples, index);
    return found >= 0 ? found : -found - 2;
  }
}
