package io.minimind.weights;

import static org.bytedeco.onnxruntime.global.onnxruntime.ORT_API_VERSION;
import static org.bytedeco.onnxruntime.global.onnxruntime.OrtGetApiBase;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.weights.TrainingCheckpoint.Properties;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.CharPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.onnxruntime.OrtApi;
import org.bytedeco.onnxruntime.OrtCheckpointState;
import org.bytedeco.onnxruntime.OrtEnv;
import org.bytedeco.onnxruntime.OrtStatus;
import org.bytedeco.onnxruntime.OrtTrainingApi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Java and ONNX Runtime write, each reads of the other. */
class RuntimeCheckpointTest {

  private static final OrtApi API = OrtGetApiBase().GetApi().call(ORT_API_VERSION);
  private static final OrtTrainingApi TRAINING = API.GetTrainingApi().call(ORT_API_VERSION);

  /** The runtime does not load a checkpoint before it has an environment. */
  private static final OrtEnv ENVIRONMENT = new OrtEnv();

  static {
    check(API.CreateEnv(4, new BytePointer("test"), ENVIRONMENT));
  }

  @TempDir Path folder;

  @Provide
  Arbitrary<List<NamedTensor>> tensors() {
    return Tensors.lists(Arbitraries.strings().alpha().withChars("._模型").ofMinLength(1));
  }

  @Property(tries = 100)
  void parametersOfEveryTypeAndShape(@ForAll("tensors") List<NamedTensor> tensors)
      throws IOException {
    Assume.that(!tensors.isEmpty()); // the runtime leaves the whole module out when it is empty
    int half = tensors.size() / 2;
    TrainingCheckpoint written =
        new TrainingCheckpoint(
            tensors.subList(0, half),
            tensors.subList(half, tensors.size()),
            Optional.empty(),
            Properties.NONE);
    Path path = Files.createTempFile("checkpoint", "");
    try {
      written.write(path);
      try (State state = State.load(path)) {
        state.save(path, false);
      }
      assertEquals(written, TrainingCheckpoint.read(path));
    } finally {
      Files.delete(path);
    }
  }

  @Test
  void optimizerStateAndProperties() throws IOException {
    TrainingCheckpoint written = TrainingCheckpointTest.sampleCheckpoint();
    Path path = folder.resolve("checkpoint");
    written.write(path);
    try (State state = State.load(path)) {
      state.save(folder.resolve("with"), true);
      state.save(folder.resolve("without"), false);
    }
    assertEquals(written, TrainingCheckpoint.read(folder.resolve("with")));
    assertEquals(
        new TrainingCheckpoint(
            written.trainable(), written.frozen(), Optional.empty(), written.properties()),
        TrainingCheckpoint.read(folder.resolve("without")));
  }

  /** What the Java reader lets through must never reach the runtime as a surprise. */
  @Test
  void theRuntimeLoadsWhateverTheReaderAccepts() throws IOException {
    Path path = folder.resolve("checkpoint");
    TrainingCheckpointTest.sampleCheckpoint().write(path);
    byte[] bytes = Files.readAllBytes(path);
    int accepted = 0;
    for (int bit = 0; bit < bytes.length * 8; bit += 3) {
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
      Path flipped = Files.write(folder.resolve("flipped"), bytes);
      if (isReadable(flipped)) {
        State.load(flipped).close();
        accepted++;
      }
      Files.delete(flipped);
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
    }
    assertTrue(accepted > 0);
  }

  private static boolean isReadable(Path path) {
    try {
      TrainingCheckpoint.read(path);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** The runtime's checkpoint state. */
  private record State(OrtCheckpointState state) implements AutoCloseable {

    static State load(Path path) {
      OrtCheckpointState state = new OrtCheckpointState();
      check(TRAINING.LoadCheckpoint(pointer(path), state));
      return new State(state);
    }

    void save(Path path, boolean optimizer) {
      check(TRAINING.SaveCheckpoint(state, pointer(path), optimizer));
    }

    @Override
    public void close() {
      TRAINING.ReleaseCheckpointState(state);
    }

    private static Pointer pointer(Path path) {
      return Loader.getPlatform().startsWith("windows")
          ? new CharPointer(path.toString())
          : new BytePointer(path.toString());
    }
  }

  private static void check(OrtStatus status) {
    if (status != null && !status.isNull()) {
      String message = API.GetErrorMessage().call(status).getString();
      API.ReleaseStatus(status);
      throw new IllegalStateException(message);
    }
  }
}
