package io.minimind.train;

import io.minimind.data.Rows;
import io.minimind.data.Samples;
import io.minimind.data.TokenShards;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.AtomicFile;
import io.minimind.runtime.Device;
import io.minimind.task.Preparation;
import io.minimind.train.TrainingHistory.CorpusFacts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a run learns from and what it validates on, encoded.
 *
 * @param skipped by the name of a corpus, the list of its rows that cannot be used
 */
record Corpora(
    Samples training, Optional<Samples> validation, CorpusFacts facts, Map<String, Path> skipped) {

  private static final String SKIPPED = "skipped.txt";

  /**
   * Where corpora are encoded and prepared.
   *
   * @param cache folder of encoded corpora, used again while nothing changes
   * @param device that computes what a task must know beforehand
   * @param threads threads to compute with, at least 1
   */
  record Place(Path cache, Device device, int threads) {}

  /**
   * Encodes the rows of a run, or opens what the cache holds of them.
   *
   * @param rows what is learnt from, and then what is validated on, if there are such rows
   * @param tokenizer the folder of the tokenizer
   * @param group of processes that do the same
   */
  static Corpora open(
      RunSettings settings,
      List<Rows> rows,
      Path tokenizer,
      Place place,
      Listeners listeners,
      ProcessGroup group)
      throws IOException {
    List<Samples> samples = new ArrayList<>();
    List<String> checksums = new ArrayList<>();
    Map<String, Path> skipped = new LinkedHashMap<>();
    try {
      for (Rows one : rows) {
        TokenShards shards = encode(settings, one, tokenizer, place, listeners, group);
        shards.skippedList().ifPresent(list -> skipped.put(one.name(), list));
        checksums.add(shards.checksum());
        Preparation preparation =
            settings.preparation(
                place,
                shards.folder(),
                group,
                (done, total) -> listeners.tellPreparing(one.name(), done, total));
        samples.add(settings.task().prepare(shards, preparation));
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Samples all = samples.get(0);
    Optional<Samples> heldOut = samples.stream().skip(1).findFirst();
    if (settings.validationFraction() > 0) {
      List<Samples> parts = all.split(settings.validationFraction(), settings.training().seed());
      all = parts.get(0);
      heldOut = Optional.of(parts.get(1));
    }
    return new Corpora(all, heldOut, new CorpusFacts(all.groups(), checksums), skipped);
  }

  private static TokenShards encode(
      RunSettings settings,
      Rows rows,
      Path tokenizer,
      Place place,
      Listeners listeners,
      ProcessGroup group)
      throws IOException {
    TokenShards shards =
        TokenShards.openOrBuild(
            place.cache(),
            rows,
            settings.task().encoder(settings.model(), tokenizer),
            listeners.encodingOf(rows.name()),
            group);
    listeners.encoded(
        new TrainingListener.Corpus(
            rows.name(),
            shards.groups(),
            shards.tokens(),
            shards.skippedRows(),
            shards.skippedList()));
    return shards;
  }

  /** Lists the rows of all corpora that cannot be used in the folder of a run, if there are any. */
  void listSkipped(Path run) throws IOException {
    if (skipped.isEmpty()) {
      return;
    }
    AtomicFile.replace(
        run.resolve(SKIPPED),
        channel -> {
          for (Map.Entry<String, Path> list : skipped.entrySet()) {
            byte[] heading = (list.getKey() + "\n").getBytes(StandardCharsets.UTF_8);
            AtomicFile.write(channel, ByteBuffer.wrap(heading));
            Files.copy(list.getValue(), Channels.newOutputStream(channel));
          }
        });
  }
}
