package io.minimind.examples.tasks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.agent.AgentTool;
import io.minimind.agent.MockTools;
import io.minimind.agent.PythonJson;
import io.minimind.examples.tasks.ToolTask.Wording;
import io.minimind.policy.ToolCases;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Draws tasks for the six mock tools, in English and in Chinese, and makes of them all that a small
 * model needs to learn to use tools. A question is either for training or held out, which depends
 * on its text alone: none is in both. Two thirds of the tools' tables can be learnt by heart; sums
 * and conversions cannot.
 */
public final class ToolTasks {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of so many questions one is held out. */
  private static final int HELD_OUT = 5;

  /** So many draws without a question that is new, and there are no more. */
  private static final int PATIENCE = 500;

  private static final List<String> CITIES =
      List.of("北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "南京", "西安", "重庆");
  private static final List<String> CITIES_ABROAD =
      List.of("Tokyo", "New York", "London", "Paris", "Sydney");

  /** A city's name in English and in Chinese, and its time zone. */
  private static final List<List<String>> ZONES =
      List.of(
          List.of("Shanghai", "上海", "Asia/Shanghai"),
          List.of("New York", "纽约", "America/New_York"),
          List.of("London", "伦敦", "Europe/London"),
          List.of("Tokyo", "东京", "Asia/Tokyo"),
          List.of("Paris", "巴黎", "Europe/Paris"),
          List.of("Sydney", "悉尼", "Australia/Sydney"));

  /** Two currencies, and their names in Chinese. */
  private static final List<List<String>> RATES =
      List.of(
          List.of("USD", "CNY", "美元", "人民币"),
          List.of("EUR", "CNY", "欧元", "人民币"),
          List.of("GBP", "CNY", "英镑", "人民币"),
          List.of("JPY", "CNY", "日元", "人民币"),
          List.of("USD", "EUR", "美元", "欧元"),
          List.of("USD", "GBP", "美元", "英镑"),
          List.of("CNY", "JPY", "人民币", "日元"),
          List.of("AUD", "CNY", "澳元", "人民币"));

  /** Two units, and their names in Chinese. */
  private static final List<List<String>> UNITS =
      List.of(
          List.of("km", "miles", "千米", "英里"),
          List.of("miles", "km", "英里", "千米"),
          List.of("kg", "pounds", "千克", "磅"),
          List.of("pounds", "kg", "磅", "千克"),
          List.of("meters", "feet", "米", "英尺"),
          List.of("feet", "meters", "英尺", "米"));

  private static final List<String> TO_ENGLISH = List.of("你好世界", "今天天气真好", "机器学习很有趣");
  private static final List<String> TO_CHINESE =
      List.of("Good morning", "I love programming", "Happy birthday");

  private static final List<Wording> WEATHER =
      List.of(
          Wording.english("How warm is it in %s?", "It is %s."),
          Wording.english("What is the weather in %s?", "It is %s."),
          Wording.english("How is the weather in %s now?", "It is %s."));
  private static final List<Wording> CHINESE_WEATHER =
      List.of(
          Wording.chinese("%s现在天气怎么样？", "现在%s。"),
          Wording.chinese("%s的天气如何？", "现在%s。"),
          Wording.chinese("%s今天多少度？", "现在%s。"));
  private static final List<Wording> TIME =
      List.of(
          Wording.english("What time is it in %s?", "It is %s."),
          Wording.english("What is the time in %s now?", "It is %s."));
  private static final List<Wording> CHINESE_TIME =
      List.of(Wording.chinese("%s现在几点？", "现在%s。"), Wording.chinese("%s的时间是几点？", "现在%s。"));
  private static final List<Wording> RATE =
      List.of(
          Wording.english("How many %2$s is 1 %1$s?", "It is %s."),
          Wording.english("What is the rate of %s to %s?", "It is %s."));
  private static final List<Wording> CHINESE_RATE =
      List.of(Wording.chinese("1 %s可以换多少%s？", "可以换%s。"), Wording.chinese("%s对%s的汇率是多少？", "是%s。"));
  private static final List<Wording> CONVERSION =
      List.of(
          Wording.english("How many %3$s are %1$s %2$s?", "It is %s."),
          Wording.english("Convert %s %s to %s.", "It is %s."));
  private static final List<Wording> CHINESE_CONVERSION =
      List.of(Wording.chinese("%s %s是多少%s？", "是%s。"), Wording.chinese("把 %s %s换成%s。", "是%s。"));
  private static final List<Wording> SUM =
      List.of(
          Wording.english("What is %s?", "It is %s."),
          Wording.english("Compute %s.", "It is %s."),
          Wording.chinese("%s 等于多少？", "等于%s。"),
          Wording.chinese("算一下 %s。", "等于%s。"));
  private static final List<Wording> TRANSLATION =
      List.of(
          Wording.english("Translate %s into Chinese.", "It is %s."),
          Wording.english("How do you say %s in Chinese?", "It is %s."));
  private static final List<Wording> CHINESE_TRANSLATION =
      List.of(Wording.chinese("把%s翻译成英文。", "是%s。"), Wording.chinese("%s用英文怎么说？", "是%s。"));

  /** What {@code eval tools} asks. */
  private static final Set<String> EVALUATION = Set.copyOf(ToolCases.eight().questions());

  private final Random random;

  public ToolTasks(long seed) {
    random = new Random(seed);
  }

  /** What is asked, before anybody has answered it. */
  private record Asked(
      String question,
      AgentTool tool,
      ObjectNode arguments,
      List<AgentTool> offered,
      Wording wording) {

    ToolTask answered() {
      return ToolTask.of(question, tool, arguments, offered, wording);
    }

    boolean isHeldOut() {
      return EVALUATION.contains(question)
          || Math.floorMod(question.hashCode() * 0x9E3779B1, HELD_OUT) == 0;
    }
  }

  /** A task whose question may be learnt from. */
  public ToolTask forTraining() {
    return draw(asked -> !asked.isHeldOut()).answered();
  }

  /** Tasks whose questions all differ, and are held out; fewer if there are not so many. */
  public List<ToolTask> heldOut(int count) {
    List<ToolTask> tasks = new ArrayList<>();
    Set<String> asked = new HashSet<>();
    for (int tries = 0; tasks.size() < count && tries < PATIENCE; tries++) {
      Asked drawn = draw(Asked::isHeldOut);
      if (asked.add(drawn.question())) {
        tasks.add(drawn.answered());
        tries = 0;
      }
    }
    return tasks;
  }

  /** Texts of the world: tasks with all that leads to their answers, and what tools there are. */
  public Stream<ObjectNode> texts(int count) {
    return Stream.generate(
            () ->
                random.nextInt(HELD_OUT) > 0
                    ? forTraining().text()
                    : JSON.createObjectNode().put("text", description()))
        .limit(count);
  }

  private String description() {
    return PythonJson.dumps(pick(MockTools.all()).description());
  }

  /**
   * Conversations of somebody who does not always care to look things up.
   *
   * @param guesses the share in which the answer is that of another question, in [0, 1]
   */
  public Stream<ObjectNode> conversations(int count, double guesses) {
    return Stream.generate(
            () -> {
              ToolTask task = forTraining();
              return random.nextDouble() < guesses
                  ? task.guessed(another(task).fact())
                  : task.lookedUp();
            })
        .limit(count);
  }

  /** One that the same tool answers otherwise. */
  private ToolTask another(ToolTask task) {
    while (true) {
      ToolTask other =
          draw(asked -> asked.tool().equals(task.tool()) && !asked.isHeldOut()).answered();
      if (!other.fact().equals(task.fact())) {
        return other;
      }
    }
  }

  private Asked draw(Predicate<Asked> wanted) {
    while (true) {
      Asked asked = draw();
      if (wanted.test(asked)) {
        return asked;
      }
    }
  }

  private Asked draw() {
    boolean chinese = random.nextBoolean();
    return switch (random.nextInt(6)) {
      case 0 -> weather(pick(chinese ? CHINESE_WEATHER : WEATHER), chinese);
      case 1 -> time(pick(chinese ? CHINESE_TIME : TIME), chinese);
      case 2 -> rate(pick(chinese ? CHINESE_RATE : RATE), chinese);
      case 3 -> conversion(pick(chinese ? CHINESE_CONVERSION : CONVERSION), chinese);
      case 4 -> translation(pick(chinese ? CHINESE_TRANSLATION : TRANSLATION), chinese);
      default -> sum(pick(SUM));
    };
  }

  private Asked weather(Wording wording, boolean chinese) {
    String city = pick(chinese ? CITIES : CITIES_ABROAD);
    return asked(
        wording.question().formatted(city),
        "get_current_weather",
        JSON.createObjectNode().put("location", city),
        wording);
  }

  private Asked time(Wording wording, boolean chinese) {
    List<String> zone = pick(ZONES);
    return asked(
        wording.question().formatted(zone.get(chinese ? 1 : 0)),
        "get_current_time",
        JSON.createObjectNode().put("timezone", zone.get(2)),
        wording);
  }

  private Asked rate(Wording wording, boolean chinese) {
    List<String> rate = pick(RATES);
    int first = chinese ? 2 : 0;
    return asked(
        wording.question().formatted(rate.get(first), rate.get(first + 1)),
        "get_exchange_rate",
        JSON.createObjectNode().put("from_currency", rate.get(0)).put("to_currency", rate.get(1)),
        wording);
  }

  private Asked conversion(Wording wording, boolean chinese) {
    List<String> units = pick(UNITS);
    int first = chinese ? 2 : 0;
    int value = 1 + random.nextInt(20);
    return asked(
        wording.question().formatted(value, units.get(first), units.get(first + 1)),
        "unit_converter",
        JSON.createObjectNode()
            .put("value", value)
            .put("from_unit", units.get(0))
            .put("to_unit", units.get(1)),
        wording);
  }

  private Asked translation(Wording wording, boolean chinese) {
    String text = pick(chinese ? TO_ENGLISH : TO_CHINESE);
    return asked(
        wording.question().formatted(text),
        "translate_text",
        JSON.createObjectNode()
            .put("text", text)
            .put("target_language", chinese ? "english" : "chinese"),
        wording);
  }

  private Asked sum(Wording wording) {
    String expression =
        "%d %s %d"
            .formatted(1 + random.nextInt(30), pick(List.of("+", "*")), 1 + random.nextInt(9));
    return asked(
        wording.question().formatted(expression),
        "calculate_math",
        JSON.createObjectNode().put("expression", expression),
        wording);
  }

  /** The tool is offered with another, in any order. */
  private Asked asked(String question, String name, ObjectNode arguments, Wording wording) {
    List<AgentTool> others = new ArrayList<>(MockTools.all());
    AgentTool tool =
        others.stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    others.remove(tool);
    List<AgentTool> offered = new ArrayList<>(List.of(tool, pick(others)));
    Collections.shuffle(offered, random);
    return new Asked(question, tool, arguments, offered, wording);
  }

  private <T> T pick(List<T> some) {
    return some.get(random.nextInt(some.size()));
  }
}
