package io.minimind.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.Sha256;
import io.minimind.files.StrictJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** What a folder of token shards holds and what it was made from; {@code manifest.json} in it. */
record Manifest(
    Fingerprint fingerprint, long rows, long skippedRows, long targets, List<Shard> shards) {
  private static final ObjectMapper JSON = StrictJson.mapper();
  private static final String FILE = "manifest.json";

  Manifest {
    Objects.requireNonNull(fingerprint);
    shards = List.copyOf(shards);
  }

  /** Samples and tokens of one shard; the checksum covers its index, which holds those of rows. */
  record Shard(String name, int samples, long tokens, long indexChecksum) {
    Path tokensFile(Path folder) {
      return folder.resolve(name + ".tokens");
    }

    Path valuesFile(Path folder) {
      return folder.resolve(name + ".values");
    }

    Path indexFile(Path folder) {
      return folder.resolve(name + ".index");
    }
  }

  /**
   * Everything that decides what the shards hold.
   *
   * @param source name of the rows
   * @param sourceBytes size of the rows
   * @param sourceModified fingerprint of the rows, of a file the time of its last change
   */
  record Fingerprint(
      int format,
      String source,
      long sourceBytes,
      String sourceModified,
      String encoding,
      int vocabularySize,
      int samplesPerRow) {
    /** Goes up also when the encoders make other samples of the same rows. */
    private static final int FORMAT = 4;

    static Fingerprint of(Rows source, SampleEncoder encoder) throws IOException {
      return new Fingerprint(
          FORMAT,
          source.name(),
          source.size(),
          source.fingerprint(),
          encoder.description() + new ColumnLayout(encoder.inputs()).description(),
          encoder.vocabularySize(),
          encoder.groupSize());
    }

    /** A name for a folder that is as good as unique to this fingerprint. */
    String shortHash() {
      return Sha256.of(toString().getBytes(StandardCharsets.UTF_8)).substring(0, 16);
    }

    /** Whether the other was made from an earlier or later state of the same rows. */
    boolean sameSourceChanged(Fingerprint other) {
      return source.equals(other.source)
          && !(sourceBytes == other.sourceBytes && sourceModified.equals(other.sourceModified));
    }

    /**
     * Bytes of a stored token. Its highest bit says whether it counts in the loss, so two bytes are
     * enough for vocabularies of up to 32,768.
     */
    int tokenBytes() {
      return vocabularySize <= 1 << 15 ? Short.BYTES : Integer.BYTES;
    }
  }

  static Manifest read(Path folder) throws IOException {
    return JSON.readValue(folder.resolve(FILE).toFile(), Manifest.class);
  }

  void write(Path folder) throws IOException {
    JSON.writerWithDefaultPrettyPrinter().writeValue(folder.resolve(FILE).toFile(), this);
  }
}
