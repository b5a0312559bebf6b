package io.minimind.examples;

import static io.minimind.examples.Commands.contents;
import static io.minimind.examples.Commands.pretrain;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.ModelFolder;
import io.minimind.examples.Commands.Result;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.model.ModelConfig;
import io.minimind.train.TrainedModel;
import io.minimind.train.TrainedModel.Checkpoint;
import io.minimind.train.TrainingHistory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run is exported as it is, quantized, and from its best checkpoint. */
class ExportTest {

  @TempDir static Path shared;
  private static Path run;

  /** Without it a model that has learnt nothing may have nothing to say. */
  private static final int END = 2;

  @TempDir Path folder;

  @BeforeAll
  static void train() {
    run = shared.resolve("run");
    // Faster and faster until it unlearns, which makes the best checkpoint an early one.
    String[] options = {
      "--max-updates=4",
      "--save-every=1",
      "--validate-every=1",
      "--validation-fraction=0.1",
      "--warmup=8",
      "--learning-rate=0.3"
    };
    assertEquals(new Result(0, ""), Commands.run(pretrain(run, shared.resolve("cache"), options)));
  }

  private static Result export(Path model, Path out, String... more) {
    List<String> args = new ArrayList<>(List.of("export", "--model", model.toString()));
    args.addAll(List.of("--out", out.toString()));
    args.addAll(List.of(more));
    return Commands.run(args.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"float32", "int8", "int4"})
  void anExportedModelWrites(String precision) throws IOException {
    Map<Path, ByteBuffer> before = contents(run);
    Path out = folder.resolve("deep/out");
    assertEquals(new Result(0, ""), export(run, out, "--quantize=" + precision));
    assertEquals(before, contents(run), "the run is only read");
    ModelConfig config = ModelConfig.read(out.resolve(ModelFolder.CONFIG));
    assertEquals(ModelConfig.read(run.resolve(ModelFolder.CONFIG)), config);
    String json = Files.readString(out.resolve(ModelFolder.CONFIG));
    String bits = "\"bits\" : " + precision.substring(3);
    assertEquals(!precision.equals("float32"), json.contains(bits), json);
    try (LanguageModel model = LanguageModel.load(out)) {
      GenerationOptions options =
          GenerationOptions.defaults().withSeed(1).withMaxNewTokens(9).withForbiddenTokens(END);
      assertFalse(model.generate("<s>法", options).text().isEmpty());
    }
  }

  @Test
  void fewerBitsAreSmallerFiles() throws IOException {
    List<Long> sizes = new ArrayList<>();
    for (String precision : List.of("float32", "int8", "int4")) {
      Path out = folder.resolve(precision);
      export(run, out, "--quantize=" + precision);
      sizes.add(Files.size(out.resolve(ModelFolder.WEIGHTS)));
    }
    assertTrue(sizes.get(1) < 0.35 * sizes.get(0), "int8: " + sizes);
    assertTrue(sizes.get(2) < 0.65 * sizes.get(1), "int4: " + sizes);
  }

  @Test
  void theBestCheckpointIsExported() throws IOException {
    TrainedModel best = TrainedModel.of(run, Checkpoint.BEST);
    assertEquals(new Result(0, ""), export(run, folder.resolve("best"), "--checkpoint=best"));
    assertEquals(best.weights(), ModelFolder.weights(folder.resolve("best")));
    TrainedModel last = TrainedModel.of(run, Checkpoint.LAST);
    assertNotEquals(best.checkpoint(), last.checkpoint());
    assertEquals(new Result(0, ""), export(run, folder.resolve("last"), "--checkpoint=last"));
    assertEquals(last.weights(), ModelFolder.weights(folder.resolve("last")));
    assertEquals(ModelFolder.weights(run), ModelFolder.weights(folder.resolve("last")));
    assertEquals(best.history(), TrainingHistory.of(folder.resolve("best")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"float32", "int8", "int4"})
  void anExportedModelKeepsItsHistory(String precision) throws IOException {
    Path out = folder.resolve("out");
    assertEquals(new Result(0, ""), export(run, out, "--quantize=" + precision));
    TrainingHistory history = TrainingHistory.of(run);
    assertEquals(1, history.stages().size());
    assertEquals(history, TrainingHistory.of(out));
    if (precision.equals("float32")) {
      // As does one that is made of it.
      assertEquals(new Result(0, ""), export(out, folder.resolve("next"), "--quantize=int4"));
      assertEquals(history, TrainingHistory.of(folder.resolve("next")));
    }
  }

  private static void assertSays(int status, String part, Result result) {
    List<String> lines = result.err().lines().toList();
    assertEquals(status == 2 ? 2 : 1, lines.size(), result.err());
    assertTrue(lines.get(0).contains(part), result.err());
    assertEquals(status, result.status());
  }

  @Test
  void mistakesGetASentence() throws IOException {
    Path out = folder.resolve("out");
    assertSays(1, "There is no model folder at " + out, export(out, folder.resolve("b")));
    assertSays(2, "--out must be another folder than --model", export(run, run));
    Path other = folder.resolve("other");
    Commands.copy(run, other);
    assertSays(1, "already holds a run", export(run, other));
    assertSays(2, "--quantize cannot be \"int3\": expected", export(run, out, "--quantize=int3"));
    assertEquals(new Result(0, ""), export(run, out, "--quantize=int8"));
    assertSays(1, out + " already holds a model", export(run, out, "--quantize=int4"));
    assertSays(1, "are quantized already", export(out, folder.resolve("b"), "--quantize=int4"));
    assertSays(1, "holds no run", export(out, folder.resolve("b"), "--checkpoint=best"));
    assertFalse(Files.exists(folder.resolve("b")), "nothing is made for what cannot be exported");
  }
}
