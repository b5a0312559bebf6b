package io.minimind.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.minimind.agent.ToolBox;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.data.Rows;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.policy.AnswerWriter.Question;
import io.minimind.task.Pretraining;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An agent's turns, by a model that has learnt one text by heart: a call, and what follows. */
@Timeout(300)
class AnswerWriterTest {

  private static final String CALL =
      "<tool_call>{\"name\": \"calculate_math\", \"arguments\": {\"expression\":"
          + " \"6*7\"}}</tool_call>";
  private static final String RESULT = "{\"result\": \"42\"}";
  private static final String START = "<s>user\n6*7?</s>\n<s>assistant\n";

  /** What MiniMind's first template makes of a tool's result: it has no place for it. */
  private static final ChatTemplate TEMPLATE =
      ChatTemplate.parse(
          "{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}"
              + "{% if add_generation_prompt %}<s>assistant\n{% endif %}",
          Map.of());

  @TempDir Path folder;

  private LanguageModel model() throws IOException {
    String whole = START + CALL + "</s>\n<s>tool\n" + RESULT + "</s>\n<s>assistant\nIt is 42.";
    String text = whole.substring("<s>".length());
    Path tokenizer = folder.resolve("tokenizer");
    ByteLevelBpeTrainer.ofSize(320).train(List.of(text).iterator()).save(tokenizer);
    Path corpus =
        Files.writeString(
            folder.resolve("corpus.jsonl"),
            (JsonNodeFactory.instance.objectNode().put("text", text) + "\n").repeat(16));
    Path out = folder.resolve("run");
    try (TrainingRun run =
        TrainingRun.builder()
            .task(new Pretraining())
            .tokenizer(tokenizer)
            .model(ModelConfig.of(64, 2, 2, 1, 320, 256))
            .rows(Rows.of(corpus))
            .settings(s -> s.epochs(20).batchSize(4).learningRate(5e-3f))
            .threads(2)
            .folder(out)
            .open()) {
      run.train();
    }
    return LanguageModel.load(out, LoadOptions.defaults().withThreads(1).withBatchSize(3));
  }

  private static List<Rollout> answers(LanguageModel model, int turns) {
    Prompt prompt =
        new Prompt(
            List.of(Message.user("6*7?")),
            List.of(ToolBox.mock().tools().get(0).description()),
            JsonNodeFactory.instance.textNode("42"));
    RolloutSettings settings = new RolloutSettings(100, 120, 1, 1, 1, 0, turns);
    return new AnswerWriter(TEMPLATE, settings, ToolBox.mock())
        .answer(
            model, Collections.nCopies(3, new Question(prompt, false)), new SplittableRandom(1));
  }

  @Test
  void resultsStandBehindCallsAndOnlyWhatWasDrawnIsLearnt() throws IOException {
    try (LanguageModel model = model()) {
      for (Rollout rollout : answers(model, 3)) {
        assertEquals(List.of(CALL, "It is 42."), rollout.answer().turns());
        assertTrue(rollout.answer().ended());
        StringBuilder drawn = new StringBuilder();
        StringBuilder observed = new StringBuilder();
        for (int i = 0; i < rollout.ids().length; i++) {
          String token = model.tokenizer().token(rollout.ids()[i]).orElseThrow();
          (rollout.written().get(i) ? drawn : observed).append(token);
        }
        // As tokens are spelled: Ġ is a space, Ċ a line break.
        String calls = CALL.replace(" ", "Ġ");
        assertEquals(calls + "</s>ItĠisĠ42.</s>", drawn.toString());
        assertEquals(
            START.replace("\n", "Ċ")
                + "Ċ<s>toolĊ"
                + RESULT.replace(" ", "Ġ")
                + "</s>Ċ<s>assistantĊ",
            observed.toString());
        assertEquals(3, Rewards.named("agent").of(rollout.answer()));
      }
    }
  }

  @Test
  void whoIsStillCallingInTheLastTurnHasNotEnded() throws IOException {
    try (LanguageModel model = model()) {
      Rollout one = answers(model, 1).get(0);
      assertEquals(List.of(CALL), one.answer().turns());
      assertTrue(one.answer().ended(), "with one turn, a call is a text like any other");
      RolloutSettings settings = new RolloutSettings(100, 120, 1, 1, 1, 0, 2);
      assertEquals(2, settings.turns());
      List<Rollout> twice = answers(model, 2);
      assertArrayEquals(twice.get(0).ids(), twice.get(2).ids());
      assertFalse(Arrays.equals(one.ids(), twice.get(0).ids()));
    }
  }
}
