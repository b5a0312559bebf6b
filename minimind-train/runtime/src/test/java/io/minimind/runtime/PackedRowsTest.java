package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Objective;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.graph.Target;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.Rotary;
import io.minimind.model.RotaryScaling;
import io.minimind.model.TrainingPrecision;
import io.minimind.model.Weights;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Samples that share rows against the same samples in rows of their own, through whole models. */
class PackedRowsTest {

  private static final int VOCABULARY = 40;

  /** Positions of a row: more than two blocks of the kernel. */
  private static final int ROW = 150;

  /** One that takes a position, one that fills a row, and others. */
  private static final int[] POSITIONS = {1, ROW, 65, 2, 1, 81, 30, 64, 7};

  /** Two full rows and two with padding, one of which is a sample alone. */
  private static final long[][] LAYOUT = {{1}, {2, 0, 3, 4, 5}, {6, 7}, {8}};

  private enum Architecture {
    NEIGHBOURS(16, Rotary.of(RotaryLayout.NEIGHBOURS, 100)),
    HALVES(16, Rotary.of(RotaryLayout.HALVES, 100)),
    PADDED_NEIGHBOURS(12, Rotary.of(RotaryLayout.NEIGHBOURS, 100)),
    PADDED_HALVES(12, Rotary.of(RotaryLayout.HALVES, 100)),
    A_LAYER_WITHOUT(16, new Rotary(RotaryLayout.HALVES, 100, RotaryScaling.NONE, List.of(0)));

    private final ModelConfig config;

    Architecture(int headSize, Rotary rotary) {
      config =
          ModelConfig.of(4 * headSize, 2, 4, 2, VOCABULARY, ROW).toBuilder().rotary(rotary).build();
    }
  }

  private static Samples samples() {
    Random random = new Random(5);
    List<Sample> samples = new ArrayList<>();
    for (int positions : POSITIONS) {
      BitSet targets = new BitSet();
      for (int i = 1; i <= positions; i++) {
        targets.set(i, positions == 1 || random.nextInt(3) > 0);
      }
      int[] ids = random.ints(positions + 1L, 0, VOCABULARY).toArray();
      samples.add(new Sample(ids, targets));
    }
    return Samples.of(samples);
  }

  private static Map<String, float[]> run(
      Architecture architecture, Objective objective, Target target, Batch batch) {
    List<NamedTensor> inputs = new ArrayList<>(Weights.of(architecture.config));
    inputs.add(NamedTensor.ofFloats(TrainingArtifacts.GRADIENT_SCALE, new float[] {1}));
    for (Batch.Part part : batch.parts()) {
      BatchInput input = part.input();
      inputs.add(new NamedTensor(input.name(), input.type(), batch.shape(input), part.memory()));
    }
    TrainingArtifacts artifacts =
        new TrainingArtifacts(architecture.config, objective)
            .with(TrainingPrecision.FLOAT32, target);
    try (PlainSession session = PlainSession.open(artifacts.gradients(), 2)) {
      return session.run(inputs);
    }
  }

  @ParameterizedTest
  @EnumSource
  void samplesThatShareRowsAreLearntAsIfAlone(Architecture architecture) throws IOException {
    Samples samples = samples();
    for (Target target : Target.values()) {
      try (Batch apart = Batch.of(samples, LongStream.range(0, POSITIONS.length).toArray());
          Batch together = Batch.of(samples, LAYOUT)) {
        assertEquals(apart.targets(), together.targets());
        assertEquals(Arrays.stream(POSITIONS).sum(), together.filled());
        Map<String, float[]> expected = run(architecture, new Objective.NextToken(), target, apart);
        Map<String, float[]> found =
            run(architecture, new Objective.NextToken(true), target, together);
        assertEquals(expected.get("loss")[0], found.get("loss")[0], 1e-5, target.name());
        assertLogits(expected.get("logits"), found.get("logits"));
        int gradients = 0;
        for (String name : expected.keySet()) {
          if (name.endsWith(TrainingArtifacts.GRADIENT)) {
            assertArrayEquals(expected.get(name), found.get(name), 1e-5f, target + " " + name);
            gradients++;
          }
        }
        assertEquals(new Parameters(architecture.config).all().size(), gradients);
        // The same rows with everything in sight are another thing.
        float[] mixed = run(architecture, new Objective.NextToken(), target, together).get("loss");
        assertTrue(Math.abs(mixed[0] - found.get("loss")[0]) > 1e-3);
      }
    }
  }

  private static void assertLogits(float[] apart, float[] together) {
    for (int row = 0; row < LAYOUT.length; row++) {
      int at = row * ROW;
      for (long sample : LAYOUT[row]) {
        int own = (int) sample * ROW;
        int count = POSITIONS[(int) sample];
        assertArrayEquals(
            Arrays.copyOfRange(apart, own * VOCABULARY, (own + count) * VOCABULARY),
            Arrays.copyOfRange(together, at * VOCABULARY, (at + count) * VOCABULARY),
            1e-5f,
            "sample " + sample);
        at += count;
      }
    }
  }
}
