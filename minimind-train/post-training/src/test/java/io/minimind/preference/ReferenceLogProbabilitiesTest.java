package io.minimind.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.ModelFolder;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.distributed.ProcessGroup;
import io.minimind.distributed.Ranks;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.TinyModel;
import io.minimind.task.FrozenModel;
import io.minimind.task.Preparation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceLogProbabilitiesTest {

  private static final int SAMPLES = 5_000;

  @TempDir Path folder;

  private static Samples samples() {
    return Samples.of(Collections.nCopies(SAMPLES, Sample.of(new int[] {1, 2})));
  }

  private static byte[] contents() {
    ByteBuffer values = ByteBuffer.allocate((SAMPLES + 1) * Float.BYTES);
    values.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < SAMPLES; i++) {
      values.putFloat(-i);
    }
    CRC32C checksum = new CRC32C();
    checksum.update(values.array(), 0, values.position());
    return values.putInt((int) checksum.getValue()).array();
  }

  private static Samples pairs(int count) {
    Random random = new Random(3);
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < 2 * count; i++) {
      samples.add(Sample.of(random.ints(2 + random.nextInt(9), 1, 260).toArray()));
    }
    return Samples.of(samples, 2, List.of());
  }

  private FrozenModel model(int seed) throws IOException {
    Path model = Files.createDirectories(folder.resolve("model " + seed));
    ModelFolder.writeConfig(model, TinyModel.CONFIG, Precision.FLOAT32);
    ModelFolder.writeDecoder(model, TinyModel.CONFIG, new Parameters(TinyModel.CONFIG).start(seed));
    return FrozenModel.of(model);
  }

  private static Preparation preparation(Path folder, ProcessGroup group) throws IOException {
    return new Preparation(
        TinyModel.CONFIG,
        TrainingPrecision.FLOAT32,
        Device.CPU,
        1,
        Files.createDirectories(folder),
        group,
        (done, total) -> {});
  }

  /** Each with a model of its own, so that one sees which of them computed what. */
  private ByteBuffer computed(FrozenModel model, Samples samples, ProcessGroup group)
      throws IOException {
    Path work = folder.resolve("work of " + model.shortDigest() + " in " + group.size());
    try (ModelInTraining session =
        model.session(new AnswerLogProbabilities(), preparation(folder, group), work)) {
      return ReferenceLogProbabilities.compute(samples, session, group, (done, total) -> {});
    }
  }

  @Test
  void processesComputeAShareEach() throws Exception {
    Samples samples = pairs(21);
    List<FrozenModel> models = List.of(model(7), model(8));
    List<ByteBuffer> alone =
        List.of(
            computed(models.get(0), samples, ProcessGroup.alone()),
            computed(models.get(1), samples, ProcessGroup.alone()));
    List<ByteBuffer> together =
        Ranks.run(2, group -> computed(models.get(group.rank()), samples, group));
    assertEquals(together.get(0), together.get(1));
    int[] shares = new int[2];
    for (int at = 0; at < together.get(0).capacity(); at += Float.BYTES) {
      float found = together.get(0).getFloat(at);
      int of = found == alone.get(0).getFloat(at) ? 0 : 1;
      assertEquals(alone.get(of).getFloat(at), found);
      shares[of]++;
    }
    assertTrue(Math.abs(shares[0] - shares[1]) <= 8, Arrays.toString(shares));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theyAreThoseOfOneProcessWhetherFoldersAreSharedOrNot(boolean isShared) throws Exception {
    Samples samples = pairs(21);
    ReferenceLogProbabilities reference = new ReferenceLogProbabilities(model(7), "");
    Path one = folder.resolve("one");
    reference.openOrCompute(samples, preparation(one, ProcessGroup.alone()));
    Ranks.run(
        3,
        group -> {
          Path own = folder.resolve(isShared ? "all" : "of " + group.rank());
          reference.openOrCompute(samples, preparation(own, group));
          assertEquals(written(one), written(own));
          return reference.openOrCompute(samples, preparation(own, group));
        });
  }

  private static ByteBuffer written(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> found =
          files.filter(file -> file.getFileName().toString().startsWith("reference-")).toList();
      assertEquals(1, found.size());
      return ByteBuffer.wrap(Files.readAllBytes(found.get(0)));
    }
  }

  @Test
  void aFileThatIsCutWhenItIsOpenChangesNothing() throws IOException {
    Path file = Files.write(folder.resolve("reference"), contents());
    Samples samples = ReferenceLogProbabilities.open(file, samples()).orElseThrow();
    Files.write(file, new byte[0]);
    float[] value = new float[1];
    samples.readColumn(SAMPLES - 1, 0, value);
    assertArrayEquals(new float[] {1 - SAMPLES}, value);
  }

  @Test
  void aFileThatIsDamagedIsComputedAgain() throws IOException {
    byte[] whole = contents();
    Path file = folder.resolve("reference");
    assertEquals(Optional.empty(), ReferenceLogProbabilities.open(file, samples()));
    for (int at : new int[] {0, 1_000, whole.length - 1}) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 4;
      Files.write(file, damaged);
      assertEquals(Optional.empty(), ReferenceLogProbabilities.open(file, samples()), "byte " + at);
    }
    Files.write(file, Arrays.copyOf(whole, whole.length - 1));
    assertEquals(Optional.empty(), ReferenceLogProbabilities.open(file, samples()));
  }
}
