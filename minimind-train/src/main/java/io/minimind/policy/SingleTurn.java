package io.minimind.policy;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.TemplateOptions;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntToLongFunction;

/** Answers to prompts, one to each, all of them at once. */
record SingleTurn(ChatTemplate template, RolloutSettings settings) {

  /** The variables by which templates let a model think. */
  private static final List<String> THINKING =
      List.of("enable_thinking", "open_thinking", "thinking");

  /** A prompt, and whether the model is to think before it answers. */
  record Question(Prompt prompt, boolean thinking) {}

  /**
   * @param seeds of each answer
   */
  List<Rollout> answer(LanguageModel model, List<Question> questions, IntToLongFunction seeds) {
    List<int[]> prompts = new ArrayList<>();
    questions.forEach(question -> prompts.add(ids(model, question)));
    List<Generation> written =
        model.generateAll(prompts, i -> options().withSeed(seeds.applyAsLong(i)));
    List<Rollout> rollouts = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      rollouts.add(rollout(questions.get(i).prompt(), prompts.get(i), written.get(i)));
    }
    return rollouts;
  }

  /** Log-probabilities are asked for because the token that ended a text comes with them. */
  private GenerationOptions options() {
    return GenerationOptions.defaults()
        .withMaxNewTokens(settings.maxNewTokens())
        .withTemperature(settings.temperature())
        .withTopK(settings.topK())
        .withTopP(settings.topP())
        .withLogProbabilities(0);
  }

  /** The last tokens of the prompt as the template puts it, with room for an answer. */
  private int[] ids(LanguageModel model, Question question) {
    TemplateOptions options =
        TemplateOptions.defaults()
            .withAddGenerationPrompt(true)
            .withTools(question.prompt().tools());
    for (String name : THINKING) {
      options = options.withVariable(name, question.thinking());
    }
    int[] ids = model.tokenizer().encode(template.render(question.prompt().messages(), options));
    int kept = Math.min(settings.maxPromptTokens(), model.contextLength() - 1);
    return Arrays.copyOfRange(ids, Math.max(0, ids.length - kept), ids.length);
  }

  private static Rollout rollout(Prompt prompt, int[] promptIds, Generation written) {
    int[] tokens = written.tokenIds();
    int ending = written.ending().isPresent() ? 1 : 0;
    int[] ids = Arrays.copyOf(promptIds, promptIds.length + tokens.length + ending);
    System.arraycopy(tokens, 0, ids, promptIds.length, tokens.length);
    written.ending().ifPresent(token -> ids[ids.length - 1] = token.tokenId());
    BitSet drawn = new BitSet(ids.length);
    drawn.set(promptIds.length, ids.length);
    boolean ended = written.finishReason() == FinishReason.END_OF_TEXT;
    Answer answer =
        new Answer(
            prompt.messages(), written.text(), tokens.length + ending, ended, prompt.expected());
    return new Rollout(ids, drawn, answer);
  }
}
