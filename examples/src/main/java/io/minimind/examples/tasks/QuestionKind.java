package io.minimind.examples.tasks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.examples.tasks.ToolTask.Wording;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * Questions in one language that one tool answers.
 *
 * @param tool its name
 * @param wordings of them
 * @param subjects draws what one is about
 */
record QuestionKind(String tool, List<Wording> wordings, Function<Random, Subject> subjects) {

  /**
   * What a question is about.
   *
   * @param words that stand in the question
   * @param arguments for the tool
   */
  record Subject(List<?> words, ObjectNode arguments) {}

  private static final ObjectMapper JSON = new ObjectMapper();

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
          Wording.english("What is the time in %s now?", "It is %s."),
          Wording.english("Tell me the time in %s.", "It is %s."),
          Wording.english("How late is it in %s?", "It is %s."),
          Wording.english("Which time do they have in %s?", "It is %s."),
          Wording.english("I call %s: what time is it there?", "It is %s."));
  private static final List<Wording> CHINESE_TIME =
      List.of(
          Wording.chinese("%s现在几点？", "现在%s。"),
          Wording.chinese("%s的时间是几点？", "现在%s。"),
          Wording.chinese("请问%s几点了？", "现在%s。"),
          Wording.chinese("告诉我%s的时间。", "现在%s。"),
          Wording.chinese("查一下%s时间。", "现在%s。"),
          Wording.chinese("我想知道%s几点。", "现在%s。"));
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
          Wording.english("What is %s?", "It is %s."), Wording.english("Compute %s.", "It is %s."));
  private static final List<Wording> CHINESE_SUM =
      List.of(Wording.chinese("%s 等于多少？", "等于%s。"), Wording.chinese("算一下 %s。", "等于%s。"));
  private static final List<Wording> TRANSLATION =
      List.of(
          Wording.english("Translate %s into Chinese.", "It is %s."),
          Wording.english("How do you say %s in Chinese?", "It is %s."));
  private static final List<Wording> CHINESE_TRANSLATION =
      List.of(Wording.chinese("把%s翻译成英文。", "是%s。"), Wording.chinese("%s用英文怎么说？", "是%s。"));

  /** Of each tool two: in English and in Chinese. */
  static final List<QuestionKind> ALL =
      List.of(
          new QuestionKind(
              "get_current_weather", WEATHER, among(CITIES_ABROAD, QuestionKind::weather)),
          new QuestionKind(
              "get_current_weather", CHINESE_WEATHER, among(CITIES, QuestionKind::weather)),
          new QuestionKind("get_current_time", TIME, among(ZONES, zone -> time(zone, 0))),
          new QuestionKind("get_current_time", CHINESE_TIME, among(ZONES, zone -> time(zone, 1))),
          new QuestionKind("get_exchange_rate", RATE, among(RATES, rate -> rate(rate, 0))),
          new QuestionKind("get_exchange_rate", CHINESE_RATE, among(RATES, rate -> rate(rate, 2))),
          new QuestionKind("unit_converter", CONVERSION, random -> conversion(random, 0)),
          new QuestionKind("unit_converter", CHINESE_CONVERSION, random -> conversion(random, 2)),
          new QuestionKind("calculate_math", SUM, QuestionKind::sum),
          new QuestionKind("calculate_math", CHINESE_SUM, QuestionKind::sum),
          new QuestionKind(
              "translate_text", TRANSLATION, among(TO_CHINESE, text -> of(text, "chinese"))),
          new QuestionKind(
              "translate_text",
              CHINESE_TRANSLATION,
              among(TO_ENGLISH, text -> of(text, "english"))));

  private static <T> Function<Random, Subject> among(List<T> some, Function<T, Subject> subject) {
    return random -> subject.apply(pick(some, random));
  }

  static <T> T pick(List<T> some, Random random) {
    return some.get(random.nextInt(some.size()));
  }

  private static Subject weather(String city) {
    return new Subject(List.of(city), JSON.createObjectNode().put("location", city));
  }

  private static Subject time(List<String> zone, int name) {
    return new Subject(
        List.of(zone.get(name)), JSON.createObjectNode().put("timezone", zone.get(2)));
  }

  private static Subject rate(List<String> rate, int names) {
    return new Subject(
        rate.subList(names, names + 2),
        JSON.createObjectNode().put("from_currency", rate.get(0)).put("to_currency", rate.get(1)));
  }

  private static Subject conversion(Random random, int names) {
    List<String> units = pick(UNITS, random);
    int value = 1 + random.nextInt(20);
    return new Subject(
        List.of(value, units.get(names), units.get(names + 1)),
        JSON.createObjectNode()
            .put("value", value)
            .put("from_unit", units.get(0))
            .put("to_unit", units.get(1)));
  }

  private static Subject sum(Random random) {
    String expression =
        "%d %s %d"
            .formatted(
                1 + random.nextInt(30), pick(List.of("+", "*"), random), 1 + random.nextInt(9));
    return new Subject(List.of(expression), JSON.createObjectNode().put("expression", expression));
  }

  private static Subject of(String text, String language) {
    return new Subject(
        List.of(text), JSON.createObjectNode().put("text", text).put("target_language", language));
  }
}
