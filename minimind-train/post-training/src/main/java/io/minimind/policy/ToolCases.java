package io.minimind.policy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.minimind.agent.AgentTool;
import io.minimind.agent.ToolBox;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.data.MalformedRowException;
import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import io.minimind.files.InputException;
import io.minimind.infer.LanguageModel;
import io.minimind.policy.AnswerWriter.Question;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  private static final int TURNS = 4;

  /** Answers that are written at the same time. */
  private static final int MOST_AT_ONCE = 64;

  private final List<Prompt> prompts;

  private ToolCases(List<Prompt> prompts) {
    this.prompts = prompts;
  }

  /** Eight of the six tools' questions, in Chinese and in English. */
  public static ToolCases eight() {
    return new ToolCases(CASES.stream().map(ToolCases::prompt).toList());
  }

  /**
   * Those of a file, as an agent learns from them: conversations whose system message offers tools,
   * and what is to be found.
   *
   * @param model the folder of a tokenizer and a chat template
   * @throws IOException if it cannot be read, or a row of it is no such question
   */
  public static ToolCases read(Path file, Path model) throws IOException {
    PromptEncoder encoder = PromptEncoder.load(model);
    List<Prompt> prompts = new ArrayList<>();
    try (RowReader rows = Rows.of(file).open(encoder.columns())) {
      Optional<Row> row = rows.next();
      for (; row.isPresent(); row = rows.next()) {
        prompts.add(prompt(encoder, row.get(), file));
      }
    }
    if (prompts.isEmpty()) {
      throw new InputException(file + " has no rows: there is nothing to ask.");
    }
    return new ToolCases(prompts);
  }

  private static Prompt prompt(PromptEncoder encoder, Row row, Path file) throws IOException {
    try {
      int[] ids = encoder.encode(row).get(0).ids();
      return PromptEncoder.prompt(ids, ids.length);
    } catch (IllegalArgumentException e) {
      throw new MalformedRowException(file.toString(), row, e.getMessage());
    }
  }

  /** How many answers are worth writing together. */
  public int batchSize() {
    return Math.min(MOST_AT_ONCE, prompts.size());
  }

  /** What is asked. */
  public List<String> questions() {
    return prompts.stream().map(ToolCases::question).toList();
  }

  private static String question(Prompt prompt) {
    return prompt.messages().get(prompt.messages().size() - 1).content();
  }

  /**
   * What a model did.
   *
   * @param reward as {@code agent} of {@link Reward#named}, which is 3 where nothing is to be
   *     wished for
   * @param solved whether the calls were right, and the facts are in what they gave and in the
   *     answer
   */
  public record Result(String question, List<String> turns, double reward, boolean solved) {}

  /**
   * Asks all of them.
   *
   * @param folder of the model, with its chat template
   * @param maxNewTokens of a turn, at least 1
   * @param thinking whether the chat template is to have the model think
   * @param temperature of the draws, at least 0; with 0 the likeliest token is taken each time
   * @throws IOException if there is no chat template
   */
  public List<Result> run(
      LanguageModel model, Path folder, int maxNewTokens, boolean thinking, double temperature)
      throws IOException {
    ToolBox tools = ToolBox.mock();
    boolean greedy = temperature == 0;
    RolloutSettings settings =
        new RolloutSettings(
            model.contextLength(),
            maxNewTokens,
            greedy ? 1 : temperature,
            greedy ? 1 : 0,
            1,
            0,
            TURNS);
    AnswerWriter writer = new AnswerWriter(ChatTemplate.load(folder), settings, tools);
    AgentReward reward = new AgentReward(tools);
    List<Question> questions =
        prompts.stream().map(prompt -> new Question(prompt, thinking)).toList();
    List<Result> results = new ArrayList<>();
    for (Rollout rollout : writer.answer(model, questions, new SplittableRandom(0))) {
      Answer answer = rollout.answer();
      String question = question(prompts.get(results.size()));
      results.add(new Result(question, answer.turns(), reward.of(answer), reward.isSolved(answer)));
    }
    return results;
  }

  private static Prompt prompt(Case one) {
    ToolBox tools = ToolBox.mock();
    List<Map<String, Object>> offered =
        one.tools().stream()
            .map(name -> tools.tool(name).map(AgentTool::description).orElseThrow())
            .toList();
    ArrayNode facts = new ObjectMapper().createArrayNode();
    one.facts().forEach(facts::add);
    return new Prompt(List.of(Message.user(one.question())), offered, facts);
  }
}
