package io.minimind.weights;

import io.minimind.files.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The state of a training run as ONNX Runtime's on-device training keeps it, in one flatbuffer file
 * of less than 2 GB. The lists are in order of name, whatever order they were given in.
 *
 * @param trainable the parameters that training changes
 * @param frozen the parameters that it leaves alone
 * @param optimizer what Adam remembers; empty before the first step
 * @param properties the values that the run keeps with its state
 */
public record TrainingCheckpoint(
    List<NamedTensor> trainable,
    List<NamedTensor> frozen,
    Optional<OptimizerState> optimizer,
    Properties properties) {

  /**
   * The state of Adam.
   *
   * @param step the number of updates that were made
   * @param initialLearningRate the rate that a schedule of the runtime starts from. The current
   *     rate is not part of a checkpoint.
   * @param firstMoments one tensor per trainable parameter, with its name and shape
   * @param secondMoments the same
   */
  public record OptimizerState(
      long step,
      float initialLearningRate,
      List<NamedTensor> firstMoments,
      List<NamedTensor> secondMoments) {

    public OptimizerState {
      firstMoments = sorted(firstMoments);
      secondMoments = sorted(secondMoments);
    }
  }

  /** Named values; a string may have up to 16 MiB. */
  public record Properties(
      Map<String, Long> integers, Map<String, Float> floats, Map<String, String> strings) {

    public static final Properties NONE = new Properties(Map.of(), Map.of(), Map.of());

    public Properties {
      integers = Map.copyOf(integers);
      floats = Map.copyOf(floats);
      strings = Map.copyOf(strings);
    }
  }

  /**
   * @throws IllegalArgumentException if two parameters have the same name or the moments are not
   *     those of the trainable parameters
   */
  public TrainingCheckpoint {
    trainable = sorted(trainable);
    frozen = sorted(frozen);
    Objects.requireNonNull(properties, "properties");
    Set<String> names = new HashSet<>();
    for (List<NamedTensor> parameters : List.of(trainable, frozen)) {
      for (NamedTensor parameter : parameters) {
        if (!names.add(parameter.name())) {
          throw new IllegalArgumentException("parameter " + parameter.name() + " is there twice");
        }
      }
    }
    if (optimizer.isPresent()) {
      checkMoments(trainable, optimizer.get().firstMoments);
      checkMoments(trainable, optimizer.get().secondMoments);
    }
  }

  /** The start of a run in which every parameter is trained. */
  public static TrainingCheckpoint of(List<NamedTensor> parameters) {
    return new TrainingCheckpoint(parameters, List.of(), Optional.empty(), Properties.NONE);
  }

  /**
   * Reads a checkpoint that this class or the runtime wrote. The file is mapped: tensors are views
   * of it. Everything the runtime relies on is checked, so that a damaged file never reaches it.
   *
   * @throws IOException with one sentence that names the file and what is wrong with it
   */
  public static TrainingCheckpoint read(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      if (channel.size() >= Integer.MAX_VALUE) {
        throw new IOException("it is larger than 2 GB");
      }
      ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      return CheckpointReader.read(bytes);
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException(
          "Cannot use the training checkpoint " + path + ": " + AtomicFile.reason(e) + ".", e);
    }
  }

  /**
   * Writes the checkpoint beside its place and renames it. Tensors are streamed; equal checkpoints
   * give equal bytes.
   *
   * @throws IOException with one sentence that names the file; an older file is then untouched
   */
  public void write(Path path) throws IOException {
    new CheckpointWriter(this).write(path);
  }

  private static List<NamedTensor> sorted(List<NamedTensor> tensors) {
    return tensors.stream().sorted(Comparator.comparing(NamedTensor::name)).toList();
  }

  private static void checkMoments(List<NamedTensor> parameters, List<NamedTensor> moments) {
    if (moments.size() != parameters.size()) {
      throw new IllegalArgumentException(
          "the optimizer has moments of %d parameters where %d are trained"
              .formatted(moments.size(), parameters.size()));
    }
    for (int i = 0; i < parameters.size(); i++) {
      NamedTensor parameter = parameters.get(i);
      NamedTensor moment = moments.get(i);
      if (!moment.name().equals(parameter.name())
          || moment.type() != parameter.type()
          || !Arrays.equals(moment.shape(), parameter.shape())) {
        throw new IllegalArgumentException(
            "the optimizer has a moment of " + moment + " where the parameter is " + parameter);
      }
    }
  }
}
