package io.minimind.data;

import io.minimind.data.Manifest.Fingerprint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.zip.CRC32C;

/** Makes chunks of rows. Used by several threads at once. */
final class ChunkEncoder {

  private final SampleEncoder encoder;
  private final ColumnLayout columns;
  private final Fingerprint fingerprint;

  ChunkEncoder(SampleEncoder encoder, Fingerprint fingerprint) {
    this.encoder = encoder;
    this.fingerprint = fingerprint;
    columns = new ColumnLayout(encoder.inputs());
  }

  Chunk encode(Pieces.Contents piece) {
    List<Sample> samples = new ArrayList<>(piece.rows().size());
    List<SkippedRow> skipped = new ArrayList<>(piece.malformed());
    for (Row row : piece.rows()) {
      try {
        List<Sample> group = encoder.encode(row);
        if (group.stream().anyMatch(sample -> sample.targetCount() > 0)) {
          require(group);
          samples.addAll(group);
        } else {
          skipped.add(SkippedRow.of(row, "it has nothing to learn."));
        }
      } catch (IllegalArgumentException e) {
        skipped.add(SkippedRow.of(row, e.getMessage()));
      }
    }
    skipped.sort(Comparator.comparingLong(SkippedRow::number));
    return chunk(piece.size(), samples, skipped);
  }

  private Chunk chunk(int rows, List<Sample> samples, List<SkippedRow> skipped) {
    int[] lengths = new int[samples.size()];
    int[] checksums = new int[samples.size()];
    long targets = 0;
    int tokens = samples.stream().mapToInt(sample -> sample.ids().length).reduce(0, Math::addExact);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(tokens, fingerprint.tokenBytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer values =
        ByteBuffer.allocate(Math.toIntExact(columns.bytes(samples.size(), tokens)))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < lengths.length; i++) {
      Sample sample = samples.get(i);
      int start = bytes.position();
      int valuesStart = values.position();
      put(sample, bytes);
      columns.put(sample, values);
      CRC32C checksum = new CRC32C();
      checksum.update(bytes.array(), start, bytes.position() - start);
      checksum.update(values.array(), valuesStart, values.position() - valuesStart);
      lengths[i] = sample.ids().length;
      checksums[i] = (int) checksum.getValue();
      targets += sample.targetCount();
    }
    return new Chunk(
        rows, tokens, targets, lengths, checksums, bytes.flip(), values.flip(), skipped);
  }

  /** What an encoder gives is a promise of its own, not a matter of the row. */
  private void require(List<Sample> group) {
    if (group.size() != encoder.groupSize()) {
      throw new IllegalStateException(
          "An encoder of %d samples a row gave %d.".formatted(encoder.groupSize(), group.size()));
    }
    try {
      group.forEach(sample -> SamplesInMemory.require(sample, columns.columns()));
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private void put(Sample sample, ByteBuffer bytes) {
    int[] ids = sample.ids();
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= fingerprint.vocabularySize()) {
        throw new IllegalStateException(
            "Id " + ids[i] + " is not in a vocabulary of " + fingerprint.vocabularySize());
      }
      int target = i > 0 && sample.targets().get(i) ? 1 : 0;
      if (fingerprint.tokenBytes() == Short.BYTES) {
        bytes.putShort((short) (ids[i] | target << Short.SIZE - 1));
      } else {
        bytes.putInt(ids[i] | target << Integer.SIZE - 1);
      }
    }
  }
}
