package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.tokenizer.ByteLevelBpeTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pretraining samples as the original encodes them, through shards and padded batches. */
class ReferenceEncodingsTest {
  @TempDir Path cache;

  @Test
  void pretrainingSamplesEqualTheReference() throws IOException {
    Path shared = shared();
    JsonNode reference =
        new ObjectMapper()
            .readTree(shared.resolve("golden/encodings.json").toFile())
            .get("pretrain");
    Path csv = shared.resolve("data/pretrain_data.csv");
    int maxLength = reference.get("max_length").intValue();
    SampleEncoder encoder =
        PretrainingEncoder.of(
            ByteLevelBpeTokenizer.load(shared.resolve("tokenizer/minimind/tokenizer.json")),
            "minimind",
            maxLength);
    TokenShards shards =
        TokenShards.openOrBuild(cache, Rows.of(csv), encoder, EncodingProgress.none());
    assertEquals(0, shards.skippedRows(), "reference rows are numbered with none left out");
    Map<Long, JsonNode> expected = new HashMap<>();
    reference.get("samples").forEach(sample -> expected.put(sample.get("row").longValue(), sample));
    assertTrue(!expected.isEmpty());

    BatchOrder order = BatchOrder.of(shards, 64, 1);
    int compared = 0;
    try (BatchLoader loader = BatchLoader.startPadded(order, 0, 0, maxLength - 1)) {
      long number = 0;
      for (Optional<Batch> next = loader.next(); next.isPresent(); next = loader.next()) {
        try (Batch batch = next.get()) {
          long[] rows = order.rows(0, number++);
          for (int i = 0; i < rows.length; i++) {
            if (expected.containsKey(rows[i])) {
              assertRowEquals(expected.get(rows[i]), batch, i);
              compared++;
            }
          }
        }
      }
    }
    assertEquals(expected.size(), compared);
  }

  private static void assertRowEquals(JsonNode expected, Batch batch, int row) {
    int length = batch.length();
    assertEquals(expected.get("input_ids").size(), length);
    for (int i = 0; i < length; i++) {
      int at = row * length + i;
      assertEquals(expected.get("input_ids").get(i).longValue(), batch.inputIds().get(at));
      assertEquals(expected.get("labels").get(i).longValue(), batch.labels().get(at));
      assertEquals(expected.get("loss_mask").get(i).floatValue(), batch.lossMask().get(at));
    }
  }

  /** The folder of reference material that may lie beside the checkout. */
  private static Path shared() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.isDirectory(at.resolve("shared/golden"))) {
        return at.resolve("shared");
      }
    }
    return Assumptions.abort("no folder shared/golden above the working directory");
  }
}
