package io.minimind.policy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.minimind.agent.AgentTool;
import io.minimind.agent.ToolBox;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.infer.LanguageModel;
import io.minimind.policy.AnswerWriter.Question;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Questions for which a model needs tools, to see whether it uses them. */
public final class ToolCases {

  /** A question, the tools that are offered, and what is to be in the answer. */
  private record Case(String question, List<String> tools, List<String> facts) {}

  private static final List<Case> CASES =
      List.of(
          new Case(
              "12 乘以 4 再加 2 等于多少？", List.of("calculate_math", "get_current_time"), List.of("50")),
          new Case(
              "What is (17 + 25) * 3?",
              List.of("calculate_math", "translate_text"),
              List.of("126")),
          new Case(
              "北京现在天气怎么样？", List.of("get_current_weather", "get_current_time"), List.of("28°C")),
          new Case(
              "How warm is it in Tokyo?",
              List.of("get_current_weather", "get_exchange_rate"),
              List.of("12°C")),
          new Case("东京现在几点？", List.of("get_current_time", "get_current_weather"), List.of("15:30")),
          new Case(
              "1 美元可以换多少人民币？", List.of("get_exchange_rate", "calculate_math"), List.of("7.21")),
          new Case(
              "100 千米是多少英里？", List.of("unit_converter", "get_exchange_rate"), List.of("62.1371")),
          new Case(
              "上海的天气如何？另外算一下 9 的平方。",
              List.of("get_current_weather", "calculate_math", "translate_text"),
              List.of("15°C", "81")));

  /** How many there are. */
  public static final int COUNT = CASES.size();

  private static final int TURNS = 4;

  private ToolCases() {}

  /**
   * What a model did.
   *
   * @param reward as {@code agent} of {@link Rewards}, which is 3 where nothing is to be wished for
   */
  public record Result(String question, List<String> turns, double reward) {

    /** Whether the calls were right, and what they gave is in the answer. */
    public boolean solved() {
      return reward >= 2.5;
    }
  }

  /**
   * Asks all of them, and takes the likeliest token each time.
   *
   * @param folder of the model, with its chat template
   * @param maxNewTokens of a turn, at least 1
   * @throws IOException if there is no chat template
   */
  public static List<Result> run(LanguageModel model, Path folder, int maxNewTokens)
      throws IOException {
    ToolBox tools = ToolBox.mock();
    RolloutSettings greedy =
        new RolloutSettings(model.contextLength(), maxNewTokens, 1, 1, 1, 0, TURNS);
    AnswerWriter writer = new AnswerWriter(ChatTemplate.load(folder), greedy, tools);
    List<Question> questions = CASES.stream().map(one -> question(one, tools)).toList();
    List<Result> results = new ArrayList<>();
    AgentReward reward = new AgentReward(tools);
    for (Rollout rollout : writer.answer(model, questions, new SplittableRandom(0))) {
      Answer answer = rollout.answer();
      String question = answer.prompt().get(answer.prompt().size() - 1).content();
      results.add(new Result(question, answer.turns(), reward.of(answer)));
    }
    return results;
  }

  private static Question question(Case one, ToolBox tools) {
    List<Map<String, Object>> offered =
        one.tools().stream()
            .map(name -> tools.tool(name).map(AgentTool::description).orElseThrow())
            .toList();
    ArrayNode facts = new ObjectMapper().createArrayNode();
    one.facts().forEach(facts::add);
    return new Question(new Prompt(List.of(Message.user(one.question())), offered, facts), false);
  }
}
