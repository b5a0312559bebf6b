package io.minimind.preference;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.chat.Message;
import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.files.StrictJson;
import io.minimind.graph.Shape;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.preference.AnswerEncoder.Answer;
import io.minimind.runtime.ModelInTraining;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * A model that says what an answer is worth, as {@link RewardModeling} trains it. Its folder is
 * that of a model but for three things: {@code config.json} says with transformers' fields {@code
 * architectures} and {@code num_labels} what it is, {@code model.safetensors} has the head {@code
 * score.weight} besides, and there is no decoder. Not safe for use by several threads.
 */
public final class RewardModel implements AutoCloseable {

  /** Answers that are read at the same time. */
  private static final int BATCH = 16;

  private static final String ARCHITECTURES = "architectures";
  private static final String ARCHITECTURE = "MiniMindForSequenceClassification";
  private static final String LABELS = "num_labels";

  private static final ObjectMapper JSON =
      StrictJson.mapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final AnswerEncoder encoder;
  private final ModelInTraining session;

  private RewardModel(AnswerEncoder encoder, ModelInTraining session) {
    this.encoder = encoder;
    this.session = session;
  }

  /**
   * Opens the model of a folder.
   *
   * @param threads on the CPU, at least 1
   * @throws IOException if it holds none, or its files are missing or broken
   */
  public static RewardModel open(Path folder, int threads) throws IOException {
    ModelConfig config = config(folder);
    List<NamedTensor> weights = new ArrayList<>(ModelFolder.weights(folder, config));
    SafetensorsFile file = SafetensorsFile.open(folder.resolve(ModelFolder.WEIGHTS));
    for (Parameter parameter : RewardObjective.HEAD.parameters(config)) {
      weights.add(
          file.tensor(parameter.name())
              .filter(found -> parameter.shape().equals(Shape.of(found.shape())))
              .orElseThrow(
                  () ->
                      new InputException(
                          "The reward model in %s lacks its head: there is no %s%s in its weights."
                              .formatted(folder, parameter.name(), parameter.shape()))));
    }
    return new RewardModel(
        AnswerEncoder.load(folder, config.maxLength()),
        ModelInTraining.builder(new TrainingArtifacts(config, new RewardObjective.Scores()))
            .weights(weights)
            .threads(threads)
            .openOne());
  }

  /**
   * The architecture of a folder's reward model.
   *
   * @throws IOException if there is none
   */
  public static ModelConfig config(Path folder) throws IOException {
    Path file = folder.resolve(ModelFolder.CONFIG);
    try {
      if (InputFile.json(file, JSON::readTree) instanceof ObjectNode json
          && json.path(ARCHITECTURES).path(0).asText().equals(ARCHITECTURE)) {
        return ModelConfig.fromJson(json.without(List.of(ARCHITECTURES, LABELS)));
      }
    } catch (NoSuchFileException e) {
      throw new InputException("There is no reward model in " + folder + ".", e);
    } catch (IllegalArgumentException e) {
      throw new InputException(
          "%s is not the configuration of a reward model: %s".formatted(file, e.getMessage()), e);
    }
    throw new InputException(
        "%s holds no reward model, which says what answers are worth: its %s would have \"%s\" : [ \"%s\" ]."
            .formatted(folder, ModelFolder.CONFIG, ARCHITECTURES, ARCHITECTURE));
  }

  /** Writes a reward model into the folder that has its tokenizer. */
  static void write(
      Path folder, ModelConfig model, List<NamedTensor> weights, List<NamedTensor> head)
      throws IOException {
    List<NamedTensor> all = new ArrayList<>(weights);
    all.addAll(head);
    SafetensorsFile.write(folder.resolve(ModelFolder.WEIGHTS), all, Map.of("format", "pt"));
    ObjectNode config = (ObjectNode) JSON.readTree(model.toJson());
    config.putArray(ARCHITECTURES).add(ARCHITECTURE);
    AtomicFile.replace(
        folder.resolve(ModelFolder.CONFIG), JSON.writeValueAsBytes(config.put(LABELS, 1)));
    Files.deleteIfExists(folder.resolve(ModelFolder.DECODER));
  }

  /**
   * What answers are worth; only differences between answers to the same prompt mean something.
   *
   * @param prompts the conversation that each answers
   * @param answers texts of the assistant
   * @throws IllegalArgumentException if the chat template has no place for one
   */
  public double[] scores(List<List<Message>> prompts, List<String> answers) throws IOException {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = new Answer("answer", List.of(Message.assistant(answers.get(i))));
      Sample read = encoder.encode(prompts.get(i), List.of(answer)).get(0);
      samples.add(ScoredAnswers.scored(read.ids()));
    }
    double[] scores = new double[samples.size()];
    for (int start = 0; start < scores.length; start += BATCH) {
      int end = Math.min(scores.length, start + BATCH);
      Samples some = Samples.of(samples.subList(start, end));
      try (Batch batch = Batch.of(some, LongStream.range(0, end - start).toArray())) {
        float[] found = session.evaluate(batch, RewardObjective.Scores.OUTPUT);
        for (int i = start; i < end; i++) {
          scores[i] = found[i - start];
        }
      }
    }
    return scores;
  }

  @Override
  public void close() {
    session.close();
  }
}
