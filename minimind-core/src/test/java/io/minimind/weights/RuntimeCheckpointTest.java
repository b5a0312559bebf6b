package io.minimind.weights;

import static org.bytedeco.onnxruntime.global.onnxruntime.ORT_API_VERSION;
import static org.bytedeco.onnxruntime.global.onnxruntime.OrtGetApiBase;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.minimind.graph.ElementType;
import io.minimind.weights.TrainingCheckpoint.OptimizerState;
import io.minimind.weights.TrainingCheckpoint.Properties;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

class RuntimeCheckpointTest {

  private static final OrtApi API = OrtGetApiBase().GetApi().call(ORT_API_VERSION);
  private static final OrtTrainingApi TRAINING = API.GetTrainingApi().call(ORT_API_VERSION);
  private static final OrtEnv ENVIRONMENT = environment();

  @TempDir Path folder;

  @Test
  void x() throws IOException {
    List<NamedTensor> trainable =
        List.of(
            Tensors.random("b", ElementType.FLOAT32, 1, 3, 4),
            Tensors.random("a.weight", ElementType.FLOAT32, 2),
            Tensors.random("e", ElementType.FLOAT32, 2, 0, 2));
    List<NamedTensor> frozen =
        List.of(
            Tensors.random("f", ElementType.FLOAT64, 3, 5),
            Tensors.random("i", ElementType.INT64, 4, 3),
            Tensors.random("i3", ElementType.INT32, 4, 3),
            Tensors.random("bool", ElementType.BOOL, 5, 7));
    Properties properties =
        new Properties(Map.of("epoch", 3L), Map.of("loss", 1.5f), Map.of("name", "说"));
    for (Optional<OptimizerState> optimizer :
        List.of(
            Optional.<OptimizerState>empty(),
            Optional.of(
                new OptimizerState(
                    17, 1e-3f, Tensors.alike(trainable, 20), Tensors.alike(trainable, 30))))) {
      for (boolean include : new boolean[] {false, true}) {
        TrainingCheckpoint written =
            new TrainingCheckpoint(trainable, frozen, optimizer, properties);
        Path ours = folder.resolve("ours");
        Path theirs = folder.resolve("theirs");
        written.write(ours);
        assertEquals(written, TrainingCheckpoint.read(ours));
        System.out.println(TrainingCheckpoint.read(ours));
        try {
          save(load(ours), theirs, include);
          System.out.println(include + " " + TrainingCheckpoint.read(theirs));
          System.out.println(include + " " + written.equals(TrainingCheckpoint.read(theirs)));
        } catch (Exception e) {
          e.printStackTrace(System.out);
        }
      }
    }
  }

  private static OrtCheckpointState load(Path path) {
    OrtCheckpointState state = new OrtCheckpointState();
    check(TRAINING.LoadCheckpoint(pointer(path), state));
    return state;
  }

  private static void save(OrtCheckpointState state, Path path, boolean optimizer) {
    check(TRAINING.SaveCheckpoint(state, pointer(path), optimizer));
  }

  private static OrtEnv environment() {
    OrtEnv environment = new OrtEnv();
    check(API.CreateEnv(3, new BytePointer("test"), environment));
    return environment;
  }

  private static Pointer pointer(Path path) {
    return Loader.getPlatform().startsWith("windows")
        ? new CharPointer(path.toString())
        : new BytePointer(path.toString());
  }

  private static void check(OrtStatus status) {
    if (status != null && !status.isNull()) {
      throw new IllegalStateException(API.GetErrorMessage().call(status).getString());
    }
  }
}
