package io.minimind.task;

import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.Objective;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.model.ModelConfig;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * What a run teaches: how rows become samples, what is learnt from them, and what must be known of
 * them beforehand. Implement it to train for something of your own; those of this project are
 * {@link Pretraining}, {@link FineTuning} and what other packages have.
 *
 * <p>A task is a value, such as a record. Its fields are kept in {@code settings.json} together
 * with its name, as Jackson writes them, and are read from there when the run goes on.
 */
public interface Task {

  /** Tells its class from others in {@code settings.json}; it never changes. */
  String name();

  /** What the training graphs compute: the next token unless it says otherwise. */
  default Objective objective() {
    return new Objective.NextToken();
  }

  /**
   * How the rows of a corpus become samples.
   *
   * @param tokenizer the folder of the tokenizer, and of the chat template if there is one
   * @throws IOException if one of them is missing or broken
   */
  SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException;

  /**
   * The weights of the models that the objective has beside the one that learns, as {@code
   * MODEL.PARAMETER}. It is asked once, when a run begins.
   *
   * @throws IOException if they cannot be read
   */
  default List<NamedTensor> frozenWeights() throws IOException {
    return List.of();
  }

  /**
   * The samples of a corpus, with what must be known of them before training, such as what another
   * model thinks of them. It is called before the run's own model is in memory, each time that the
   * run goes on: keep what takes long in {@link Preparation#folder}.
   *
   * @param samples all of a corpus
   * @throws IOException if what is needed for it cannot be read, or what is kept not written
   */
  default Samples prepare(Samples samples, Preparation preparation) throws IOException {
    return samples;
  }

  /**
   * Where the batches of a run come from: its samples in a seeded order unless it says otherwise.
   *
   * @param samples to learn from, or to validate on
   * @throws IOException if they cannot be read
   * @throws IllegalArgumentException if they lack what the objective reads
   */
  default BatchSource batches(Samples samples, Batching batching) throws IOException {
    return CorpusBatches.of(samples, objective(), batching);
  }

  /**
   * Writes what a checkpoint has learnt into the folder of its run: a model that writes, unless it
   * says otherwise.
   *
   * @param weights every parameter of the model, adapters merged
   * @param own the parameters of the objective's own
   * @throws IOException if they cannot be written
   */
  default void export(
      Path folder, ModelConfig model, List<NamedTensor> weights, List<NamedTensor> own)
      throws IOException {
    ModelFolder.writeDecoder(folder, model, weights);
  }

  /**
   * What a model of this task reads when it is to answer a text: a question as its chat template
   * puts it.
   *
   * @param model the folder of the model
   * @throws IOException if its chat template is missing or broken
   */
  default UnaryOperator<String> promptForm(Path model) throws IOException {
    ChatTemplate template = ChatTemplate.load(model);
    TemplateOptions options = TemplateOptions.defaults().withAddGenerationPrompt(true);
    return text -> template.render(List.of(Message.user(text)), options);
  }
}
