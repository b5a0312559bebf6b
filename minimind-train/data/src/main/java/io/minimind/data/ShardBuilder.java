package io.minimind.data;

import io.minimind.data.Manifest.Fingerprint;
import io.minimind.data.Manifest.Shard;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.InputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Encodes rows into shards, which do not depend on who encodes what of them. */
final class ShardBuilder {

  private final Rows source;
  private final SampleEncoder encoder;
  private final Fingerprint fingerprint;
  private final ProcessGroup group;

  /**
   * @param group of processes that encode together
   */
  ShardBuilder(Rows source, SampleEncoder encoder, Fingerprint fingerprint, ProcessGroup group) {
    this.source = source;
    this.encoder = encoder;
    this.fingerprint = fingerprint;
    this.group = group;
  }

  /** Writes shards of at most about {@code maxShardBytes} of tokens into an empty folder. */
  Manifest build(Path folder, long maxShardBytes, EncodingProgress progress) throws IOException {
    ColumnLayout columns = new ColumnLayout(encoder.inputs());
    try (EncodedRows rows = new EncodedRows(source, encoder, fingerprint, group);
        ShardWriter writer =
            new ShardWriter(folder, fingerprint.tokenBytes(), columns, maxShardBytes)) {
      Totals totals = new Totals();
      rows.forEach(
          chunk -> {
            writer.append(chunk);
            totals.add(chunk);
            progress.update(rows.position(), fingerprint.sourceBytes(), totals.rows, totals.tokens);
          });
      List<Shard> shards = writer.finish();
      if (shards.isEmpty()) {
        throw new InputException(
            totals.rows == 0
                ? source.name() + " has no rows: there is nothing to train on."
                : "None of the %d rows of %s can be used; %s"
                    .formatted(totals.rows, source.name(), totals.firstSkipped));
      }
      return new Manifest(fingerprint, totals.rows, totals.skipped, totals.targets, shards);
    }
  }

  /** Makes sure that the rows are still those that were read. */
  void requireUnchanged() throws IOException {
    if (!fingerprint.equals(Fingerprint.of(source, encoder))) {
      throw new InputException(source.name() + " changed while it was being encoded: start again.");
    }
  }

  /** Encodes the share of this process while the first one builds. */
  void help() throws IOException {
    try (EncodedRows rows = new EncodedRows(source, encoder, fingerprint, group)) {
      rows.forEach(chunk -> {});
    }
  }

  private static final class Totals {
    private long rows;
    private long skipped;
    private SkippedRow firstSkipped;
    private long tokens;
    private long targets;

    private void add(Chunk chunk) {
      rows += chunk.rows();
      if (skipped == 0 && !chunk.skipped().isEmpty()) {
        firstSkipped = chunk.skipped().get(0);
      }
      skipped += chunk.skipped().size();
      tokens += chunk.tokens();
      targets += chunk.targets();
    }
  }
}
