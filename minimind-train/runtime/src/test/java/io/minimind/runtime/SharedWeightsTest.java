package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.graph.ElementType;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.onnxruntime.OrtValue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedWeightsTest {

  @TempDir Path folder;
  private ModelInTraining.Files files;

  @BeforeEach
  void writeFiles() throws IOException {
    files = TinyModel.write(folder, TinyModel.CONFIG, OptimizerSettings.DEFAULT);
  }

  private static void update(ModelInTraining model, long seed) {
    model.resetGradients();
    model.lastTrainStep(List.of(TinyModel.batch(seed, 2, 8)), 1, 1);
    model.optimizerStep(0.01f);
  }

  private List<NamedTensor> saved(ModelInTraining model) throws IOException {
    Path file = folder.resolve("saved");
    model.saveCheckpoint(file);
    return sorted(TrainingCheckpoint.read(file).trainable());
  }

  private static List<NamedTensor> sorted(List<NamedTensor> tensors) {
    return tensors.stream().sorted(Comparator.comparing(NamedTensor::name)).toList();
  }

  @Test
  void areTheParametersToTheBit() throws IOException {
    try (TrainingSession model = TrainingSession.open(files, 1);
        SharedWeights weights = model.weights()) {
      List<NamedTensor> tensors = sorted(weights.tensors());
      for (int i = 0; i < 3; i++) {
        assertEquals(saved(model), tensors);
        update(model, i);
      }
      assertEquals(saved(model), tensors);
    }
  }

  /** As on a GPU; the state is one of the CPU, because there may be no other device. */
  @Test
  void aCopyIsRenewedWhenItIsAskedTo() throws IOException {
    ParameterState state = ParameterState.load(files, Device.CPU, 1);
    try (SharedWeights place = state.share();
        SharedWeights copy = SharedWeights.copied(state, place.tensors());
        NativeSession session = session(state)) {
      assertTrue(session.parameterCount() > 0);
      assertTrue(copy.refresh());
      assertEquals(place.tensors(), copy.tensors());
      assertFalse(copy.refresh());
      replaceFirst(state, place.tensors().get(0));
      assertFalse(copy.refresh(), "no update was counted");
      assertNotEquals(place.tensors(), copy.tensors());
      state.updated();
      assertTrue(copy.refresh());
      assertEquals(place.tensors(), copy.tensors());
      state.updated();
      state.close();
      assertThrows(IllegalStateException.class, copy::refresh);
    }
  }

  private NativeSession session(ParameterState state) {
    return NativeSession.create(
        state, files.training(), Optional.empty(), Optional.empty(), Device.CPU, 1, false);
  }

  private static void replaceFirst(ParameterState state, NamedTensor parameter) {
    try (BytePointer name = new BytePointer(parameter.name());
        FloatPointer numbers = new FloatPointer(parameter.elements());
        Values values = new Values(1)) {
      for (long i = 0; i < parameter.elements(); i++) {
        numbers.put(i, i);
      }
      long bytes = parameter.elements() * Float.BYTES;
      values.put(0, OnnxRuntime.CPU, numbers, bytes, ElementType.FLOAT32, parameter.shape());
      OnnxRuntime.check(
          OnnxRuntime.TRAINING.UpdateParameter(
              state.handle, name, values.pointers.get(OrtValue.class, 0)));
    }
    assertEquals(3, parameter.floats().get(3));
  }

  @Test
  void theMemoryOutlivesTheModel() throws IOException {
    TrainingSession model = TrainingSession.open(files, 1);
    update(model, 1);
    List<NamedTensor> saved = saved(model);
    SharedWeights weights = model.weights();
    SharedWeights others = model.weights();
    model.close();
    others.close();
    assertEquals(saved, sorted(weights.tensors()));
    assertTrue(weights.refresh());
    weights.close();
    assertThrows(IllegalStateException.class, weights::refresh);
  }

  @Test
  void aModelWithoutTheGraphOfItsWeightsIsRefused() throws IOException {
    Files.delete(files.weights());
    assertThrows(OnnxRuntimeException.class, () -> TrainingSession.open(files, 1));
  }
}
