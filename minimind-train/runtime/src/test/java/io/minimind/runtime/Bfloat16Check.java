package io.minimind.runtime;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.ElementType;
import io.minimind.graph.Target;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Bfloat16Products.Tile;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a machine with instructions for bf16 must show, without a test library, since such a machine
 * may be an emulator: {@code Bfloat16Check write FILE} notes how a model learns, and on another
 * machine, or under {@code ONEDNN_MAX_CPU_ISA}, {@code Bfloat16Check compare FILE} whether it
 * learns so there.
 */
public final class Bfloat16Check {

  private static final int UPDATES = 6;
  private static final ModelConfig CONFIG =
      ModelConfig.of(64, 2, 4, 2, TinyModel.CONFIG.vocabularySize(), 32);

  private Bfloat16Check() {}

  public static void main(String[] arguments) throws IOException {
    System.out.println(OneDnn.instructions());
    System.out.println(Device.CPU.kernels(TrainingPrecision.BFLOAT16));
    boolean right = true;
    if (NativeBfloat16Products.problem().isEmpty()) {
      List<String> wrong = wrongProducts();
      wrong.forEach(tile -> System.out.println("WRONG: " + tile));
      right = wrong.isEmpty();
      System.out.println("products: " + (right ? "ok" : "failed"));
    }
    boolean carried = notANumberGoesOn();
    System.out.println("not a number, infinity: " + (carried ? "ok" : "failed"));
    List<String> learnt = losses();
    learnt.forEach(System.out::println);
    Path file = Path.of(arguments[1]);
    boolean same = true;
    if (arguments[0].equals("write")) {
      Files.write(file, learnt);
    } else {
      List<String> expected = Files.readAllLines(file);
      double largest = 0;
      for (int i = 0; i < UPDATES; i++) {
        double difference =
            Double.parseDouble(learnt.get(i)) / Double.parseDouble(expected.get(i)) - 1;
        largest = Math.max(largest, Math.abs(difference));
      }
      same = largest < 1e-3;
      System.out.println("losses differ by " + largest + ": " + (same ? "ok" : "failed"));
    }
    System.exit(right && carried && same ? 0 : 1);
  }

  /** Products by instructions that are not what is emulated. */
  static List<String> wrongProducts() {
    NativeBfloat16Products products = new NativeBfloat16Products();
    List<String> wrong = new ArrayList<>();
    try (OneDnn dnn = OneDnn.take()) {
      for (long rows : new long[] {1, 16, 40}) {
        for (long n : new long[] {1, 65, 130}) {
          for (long k : new long[] {1, 33, 64}) {
            for (int variant = 0; variant < 8; variant++) {
              Tile tile = new Tile(rows, n, k, (variant & 1) != 0, (variant & 2) != 0);
              boolean multiplies = dnn.bfloat16().multiplies(tile);
              if (!multiplies) {
                System.out.println("emulated: " + tile);
              } else if (!products.isRight(dnn, tile, (variant & 4) != 0)) {
                wrong.add(
                    tile + ", second factor " + ((variant & 4) == 0 ? "plain" : "transposed"));
              }
            }
          }
        }
      }
    }
    return wrong;
  }

  private static boolean notANumberGoesOn() {
    List<NamedTensor> operands = Products.operands(60, 50, 40, false, false);
    float[] values = Outputs.copy(operands.get(0).floats());
    values[7 * 40 + 3] = Float.NaN;
    values[9 * 40 + 3] = Float.NEGATIVE_INFINITY;
    List<NamedTensor> bad =
        List.of(NamedTensor.ofFloats("a", values, 60, 40), operands.get(1), operands.get(2));
    float[] found =
        Products.run(
            Products.model(Target.CPU_WITH_OWN_KERNELS, ElementType.BFLOAT16, false, false, false),
            2,
            bad);
    for (int i = 0; i < found.length; i++) {
      int row = i / 50;
      if (Float.isNaN(found[i]) != (row == 7) || Float.isInfinite(found[i]) != (row == 9)) {
        return false;
      }
    }
    return true;
  }

  private static List<String> losses() throws IOException {
    TrainingArtifacts graphs =
        new TrainingArtifacts(CONFIG).with(TrainingPrecision.BFLOAT16, Target.CPU_WITH_OWN_KERNELS);
    List<String> losses = new ArrayList<>();
    try (ModelInTraining session =
        ModelInTraining.builder(graphs)
            .weights(new Parameters(CONFIG).start(7))
            .threads(2)
            .openOne()) {
      for (int i = 0; i < UPDATES; i++) {
        session.resetGradients();
        try (Batch batch = TinyModel.batch(i % 2, 3, 21)) {
          losses.add(Float.toString(session.trainStep(batch, 1, 1).loss()));
        }
        session.optimizerStep(3e-3f);
      }
    }
    return losses;
  }
}
