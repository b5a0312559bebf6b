package io.minimind.train;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.minimind.artifact.Objective;
import io.minimind.artifact.Objective.Preference;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.ChatEncoder;
import io.minimind.data.PreferenceEncoder;
import io.minimind.data.PretrainingEncoder;
import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.data.TokenShards;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

/** What a run teaches, with the settings that only this kind of training has. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "name")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Stage.Pretraining.class, name = Stage.Pretraining.NAME),
  @JsonSubTypes.Type(value = Stage.FineTuning.class, name = Stage.FineTuning.NAME),
  @JsonSubTypes.Type(value = Stage.PreferenceTuning.class, name = Stage.PreferenceTuning.NAME)
})
public sealed interface Stage {

  /** The command that trains this stage, which is also its name in {@code settings.json}. */
  String command();

  /** What the training graphs compute. */
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
   * The samples of a corpus, with what they lack for this stage.
   *
   * @param shards all samples of a file
   * @param settings of the run, which has this stage
   * @param device that computes what they lack
   * @param threads threads to compute with on the CPU, at least 1
   */
  default Samples samples(
      TokenShards shards,
      RunSettings settings,
      Device device,
      int threads,
      ReferenceLogProbabilities.Progress progress)
      throws IOException {
    return shards;
  }

  /**
   * What a model of this stage reads when it is to answer a text: a question as its chat template
   * puts it.
   *
   * @param model the folder of the model
   */
  default UnaryOperator<String> promptForm(Path model) throws IOException {
    ChatTemplate template = ChatTemplate.load(model);
    TemplateOptions options = TemplateOptions.defaults().withAddGenerationPrompt(true);
    return text -> template.render(List.of(Message.user(text)), options);
  }

  /** A model learns to continue texts. */
  record Pretraining() implements Stage {
    static final String NAME = "pretrain";

    @Override
    public String command() {
      return NAME;
    }

    @Override
    public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
      return PretrainingEncoder.load(tokenizer, model.maxLength());
    }

    /** The text as training began it: the model goes on with it. */
    @Override
    public UnaryOperator<String> promptForm(Path model) {
      return text -> "<s>" + text;
    }
  }

  /**
   * A pretrained model learns to answer.
   *
   * @param maxLength tokens to which conversations are cut, at least 2
   * @param loss which answers count
   */
  record FineTuning(int maxLength, ChatEncoder.Loss loss) implements Stage {
    static final String NAME = "sft";

    @Override
    public String command() {
      return NAME;
    }

    @Override
    public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
      return ChatEncoder.load(tokenizer, maxLength, loss);
    }
  }

  /**
   * A model that answers learns which of two answers people prefer.
   *
   * @param from the folder of the model to start from, which is the reference too
   * @param fromWeights the digest of its weights, to notice when they have changed
   * @param maxLength tokens to which a prompt with its answer is cut, at least 4
   */
  record PreferenceTuning(String from, String fromWeights, int maxLength, Preference objective)
      implements Stage {
    static final String NAME = "dpo";

    /** Where that folder has moved. */
    public PreferenceTuning withFrom(String from) {
      return new PreferenceTuning(from, fromWeights, maxLength, objective);
    }

    @Override
    public String command() {
      return NAME;
    }

    @Override
    public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
      return PreferenceEncoder.load(tokenizer, maxLength);
    }

    @Override
    public Samples samples(
        TokenShards shards,
        RunSettings settings,
        Device device,
        int threads,
        ReferenceLogProbabilities.Progress progress)
        throws IOException {
      return ReferenceLogProbabilities.openOrCompute(shards, settings, device, threads, progress);
    }
  }
}
