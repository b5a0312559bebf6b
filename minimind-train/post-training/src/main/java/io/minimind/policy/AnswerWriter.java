package io.minimind.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.agent.ToolBox;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Has a model answer prompts, all of them at once. Where it calls tools and has turns left, the
 * results are put behind what it wrote as the chat template puts them, and it goes on from there.
 */
record AnswerWriter(ChatTemplate template, RolloutSettings settings, ToolBox tools) {

  /** The variables by which templates let a model think. */
  private static final List<String> THINKING =
      List.of("enable_thinking", "open_thinking", "thinking");

  /** Stands for what was written while the template is asked what comes behind it. */
  private static final String WRITTEN = "\u0001written\u0001";

  /** A prompt, and whether the model is to think before it answers. */
  record Question(Prompt prompt, boolean thinking) {}

  List<Rollout> answer(LanguageModel model, List<Question> questions, SplittableRandom random) {
    List<Writing> writings = new ArrayList<>();
    Map<Question, int[]> prompts = new HashMap<>();
    for (Question question : questions) {
      int[] prompt = prompts.computeIfAbsent(question, asked -> encoded(model, asked));
      writings.add(new Writing(model, question, prompt, random.nextLong()));
    }
    List<Writing> open = writings;
    for (int turn = 1; turn <= settings.turns() && !open.isEmpty(); turn++) {
      List<Writing> asked = open;
      List<Generation> written =
          model.generateAll(asked.stream().map(Writing::ids).toList(), i -> asked.get(i).options());
      List<Writing> calling = new ArrayList<>();
      for (int i = 0; i < asked.size(); i++) {
        if (asked.get(i).takes(written.get(i), turn == settings.turns())) {
          calling.add(asked.get(i));
        }
      }
      open = calling;
    }
    return writings.stream().map(Writing::rollout).toList();
  }

  /** The last tokens of a prompt, for which there is room. */
  private int[] encoded(LanguageModel model, Question question) {
    int[] all = model.tokenizer().encode(rendered(question, question.prompt().messages()));
    int kept = Math.min(settings.maxPromptTokens(), model.contextLength() - 1);
    return Arrays.copyOfRange(all, Math.max(0, all.length - kept), all.length);
  }

  private String rendered(Question question, List<Message> conversation) {
    TemplateOptions options =
        TemplateOptions.defaults()
            .withAddGenerationPrompt(true)
            .withTools(question.prompt().tools());
    for (String name : THINKING) {
      options = options.withVariable(name, question.thinking());
    }
    return template.render(conversation, options);
  }

  /** One answer in the making. */
  private final class Writing {
    private final LanguageModel model;
    private final Question question;
    private final SplittableRandom random;
    private final List<Message> messages;
    private final List<String> turns = new ArrayList<>();
    private final BitSet drawn = new BitSet();
    private int[] ids;
    private boolean ended;

    Writing(LanguageModel model, Question question, int[] prompt, long seed) {
      this.model = model;
      this.question = question;
      random = new SplittableRandom(seed);
      messages = new ArrayList<>(question.prompt().messages());
      ids = prompt;
    }

    int[] ids() {
      return ids;
    }

    GenerationOptions options() {
      return GenerationOptions.defaults()
          .withMaxNewTokens(settings.maxNewTokens())
          .withTemperature(settings.temperature())
          .withTopK(settings.topK())
          .withTopP(settings.topP())
          .withSeed(random.nextLong());
    }

    /** Takes what was written; whether it is to go on with the results of its calls. */
    boolean takes(Generation written, boolean isLast) {
      OptionalInt ending = written.endToken();
      int start = ids.length;
      append(written.tokenIds());
      ending.ifPresent(this::append);
      drawn.set(start, ids.length);
      turns.add(written.text());
      ended = written.finishReason() == FinishReason.END_OF_TEXT;
      List<JsonNode> calls = settings.turns() == 1 ? List.of() : ToolBox.calls(written.text());
      if (calls.isEmpty()) {
        return false;
      }
      ended = false;
      if (isLast) {
        return false;
      }
      String observed = observed(calls, written.text());
      String end = ending.isPresent() ? model.tokenizer().token(ending.getAsInt()).orElse("") : "";
      int[] results =
          model
              .tokenizer()
              .encode(observed.startsWith(end) ? observed.substring(end.length()) : observed);
      if (ids.length + results.length >= model.contextLength()) {
        return false;
      }
      append(results);
      return true;
    }

    /** What the template puts behind the calls: the end of the turn, the results, the next turn. */
    private String observed(List<JsonNode> calls, String text) {
      List<Message> after = new ArrayList<>(messages);
      after.add(Message.assistant(WRITTEN));
      messages.add(Message.assistant(text));
      for (JsonNode call : calls) {
        Message result = Message.of("tool", tools.answer(call));
        after.add(result);
        messages.add(result);
      }
      String rendered = rendered(question, after);
      return rendered.substring(rendered.lastIndexOf(WRITTEN) + WRITTEN.length());
    }

    private void append(int... more) {
      int length = ids.length;
      ids = Arrays.copyOf(ids, length + more.length);
      System.arraycopy(more, 0, ids, length, more.length);
    }

    Rollout rollout() {
      Prompt prompt = question.prompt();
      return new Rollout(
          ids,
          drawn,
          new Answer(
              prompt.messages(),
              turns,
              drawn.cardinality(),
              ended,
              names(prompt.tools()),
              prompt.expected()));
    }
  }

  private static Set<String> names(List<Map<String, Object>> tools) {
    Set<String> names = new TreeSet<>();
    for (Map<String, Object> tool : tools) {
      Object function = tool.getOrDefault("function", tool);
      if (function instanceof Map<?, ?> described && described.get("name") instanceof String name) {
        names.add(name);
      }
    }
    return names;
  }
}
