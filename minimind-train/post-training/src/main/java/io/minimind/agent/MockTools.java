package io.minimind.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The six tools with which MiniMind's agents learn, and their small tables: what they give for
 * arguments that no table has is given too, so that a model in training always gets an answer.
 */
final class MockTools {

  private static final JsonNode MISSING = JsonNodeFactory.instance.missingNode();

  /** Temperature and condition by the city. */
  private static final Map<String, List<String>> WEATHER =
      Map.ofEntries(
          Map.entry("北京", List.of("28°C", "晴")),
          Map.entry("上海", List.of("15°C", "多云")),
          Map.entry("广州", List.of("32°C", "闷热")),
          Map.entry("深圳", List.of("30°C", "晴")),
          Map.entry("杭州", List.of("22°C", "阴")),
          Map.entry("成都", List.of("18°C", "小雨")),
          Map.entry("武汉", List.of("25°C", "多云")),
          Map.entry("南京", List.of("20°C", "晴")),
          Map.entry("西安", List.of("16°C", "大风")),
          Map.entry("重庆", List.of("26°C", "阴")),
          Map.entry("Tokyo", List.of("12°C", "晴")),
          Map.entry("New York", List.of("8°C", "多云")),
          Map.entry("London", List.of("5°C", "小雨")),
          Map.entry("Paris", List.of("10°C", "阴")),
          Map.entry("Sydney", List.of("25°C", "晴朗")));

  private static final List<String> USUAL_WEATHER = List.of("22°C", "晴");

  private static final String USUAL_ZONE = "Asia/Shanghai";
  private static final String USUAL_TIME = "2025-03-07 14:30:00";

  private static final Map<String, String> TIMES =
      Map.of(
          USUAL_ZONE,
          USUAL_TIME,
          "America/New_York",
          "2025-03-07 01:30:00",
          "Europe/London",
          "2025-03-07 06:30:00",
          "Asia/Tokyo",
          "2025-03-07 15:30:00",
          "Europe/Paris",
          "2025-03-07 07:30:00",
          "Australia/Sydney",
          "2025-03-07 17:30:00");

  private static final Map<List<String>, Double> RATES =
      Map.of(
          List.of("USD", "CNY"), 7.21,
          List.of("EUR", "CNY"), 7.85,
          List.of("GBP", "CNY"), 9.12,
          List.of("JPY", "CNY"), 0.048,
          List.of("USD", "EUR"), 0.92,
          List.of("USD", "GBP"), 0.79,
          List.of("CNY", "JPY"), 20.83,
          List.of("AUD", "CNY"), 4.72);

  private static final Map<List<String>, String> TRANSLATIONS =
      Map.of(
          List.of("你好世界", "english"), "Hello World",
          List.of("Good morning", "chinese"), "早上好",
          List.of("今天天气真好", "english"), "The weather is nice today",
          List.of("I love programming", "chinese"), "我喜欢编程",
          List.of("机器学习很有趣", "english"), "Machine learning is interesting",
          List.of("Happy birthday", "chinese"), "生日快乐");

  private static final Map<List<String>, Double> UNITS =
      Map.of(
          List.of("km", "miles"), 0.621371,
          List.of("miles", "km"), 1.60934,
          List.of("kg", "pounds"), 2.20462,
          List.of("pounds", "kg"), 0.453592,
          List.of("meters", "feet"), 3.28084,
          List.of("feet", "meters"), 0.3048,
          List.of("celsius", "fahrenheit"), 1.8,
          List.of("fahrenheit", "celsius"), 0.5556);

  private static final List<AgentTool> ALL =
      List.of(
          new Mock(
              "calculate_math",
              "计算数学表达式",
              Map.of("expression", "string"),
              List.of("expression"),
              a -> isTrue(a.path("expression")),
              MockTools::calculated),
          new Mock(
              "unit_converter",
              "单位换算",
              ordered("value", "number", "from_unit", "string", "to_unit", "string"),
              List.of("value", "from_unit", "to_unit"),
              a ->
                  a.hasNonNull("value") && isTrue(a.path("from_unit")) && isTrue(a.path("to_unit")),
              MockTools::converted),
          new Mock(
              "get_current_weather",
              "获取天气",
              Map.of("location", "string"),
              List.of("location"),
              a -> isTrue(a.path("location")),
              MockTools::weather),
          new Mock(
              "get_current_time",
              "获取时间",
              Map.of("timezone", "string"),
              List.of(),
              a -> true,
              MockTools::time),
          new Mock(
              "get_exchange_rate",
              "查询汇率",
              ordered("from_currency", "string", "to_currency", "string"),
              List.of("from_currency", "to_currency"),
              a -> isTrue(a.path("from_currency")) && isTrue(a.path("to_currency")),
              MockTools::rate),
          new Mock(
              "translate_text",
              "翻译文本",
              ordered("text", "string", "target_language", "string"),
              List.of("text", "target_language"),
              a -> isTrue(a.path("text")) && isTrue(a.path("target_language")),
              MockTools::translated));

  private MockTools() {}

  /** All six. */
  static List<AgentTool> all() {
    return ALL;
  }

  /**
   * @param types of the parameters by their names
   */
  private record Mock(
      String name,
      String words,
      Map<String, String> types,
      List<String> required,
      Predicate<JsonNode> check,
      Function<JsonNode, Object> function)
      implements AgentTool {

    @Override
    public Map<String, Object> description() {
      Map<String, Object> properties = new LinkedHashMap<>();
      types.forEach((parameter, type) -> properties.put(parameter, Map.of("type", type)));
      Map<String, Object> parameters = new LinkedHashMap<>();
      parameters.put("type", "object");
      parameters.put("properties", properties);
      parameters.put("required", required);
      Map<String, Object> described = new LinkedHashMap<>();
      described.put("name", name);
      described.put("description", words);
      described.put("parameters", parameters);
      Map<String, Object> tool = new LinkedHashMap<>();
      tool.put("type", "function");
      tool.put("function", described);
      return tool;
    }

    @Override
    public boolean accepts(JsonNode arguments) {
      return check.test(arguments);
    }

    @Override
    public Object call(JsonNode arguments) {
      if (!arguments.isObject()) {
        throw new IllegalArgumentException("The arguments are no object.");
      }
      return function.apply(arguments);
    }
  }

  private static Map<String, String> ordered(String... pairs) {
    Map<String, String> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put(pairs[i], pairs[i + 1]);
    }
    return map;
  }

  private static Map<String, Object> object(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  /** What Python takes for true. */
  private static boolean isTrue(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return false;
    }
    if (value.isNumber()) {
      return value.doubleValue() != 0;
    }
    return value.isBoolean()
        ? value.booleanValue()
        : value.isTextual() ? !value.asText().isEmpty() : !value.isEmpty();
  }

  private static JsonNode get(JsonNode arguments, String name) {
    JsonNode value = arguments.get(name);
    return value == null ? MISSING : value;
  }

  /** A key of a table: lists and objects are none, whatever is no text is in no table. */
  private static String key(JsonNode value) {
    if (value.isContainerNode()) {
      throw new IllegalArgumentException("A text was expected.");
    }
    return value.isTextual() ? value.asText() : "";
  }

  /** What is given back of an argument; null if it is missing. */
  private static Object plain(JsonNode value) {
    return value.isMissingNode() ? null : PythonJson.plain(value);
  }

  private static Object calculated(JsonNode arguments) {
    JsonNode given = get(arguments, "expression");
    String expression = given.isMissingNode() ? "0" : PythonJson.text(given);
    if (List.of("None", "True", "False").contains(expression)) {
      return object("result", expression); // null, true and false as Python names them.
    }
    String plain =
        expression
            .replace("^", "**")
            .replace('×', '*')
            .replace('÷', '/')
            .replace('−', '-')
            .replace('（', '(')
            .replace('）', ')');
    return object("result", Arithmetic.evaluate(plain));
  }

  private static Object converted(JsonNode arguments) {
    double value = real(get(arguments, "value"));
    double factor =
        UNITS.getOrDefault(List.of(unit(arguments, "from_unit"), unit(arguments, "to_unit")), 1.0);
    double product = value * factor;
    return object(
        "result",
        Double.isFinite(product)
            ? new BigDecimal(product).setScale(4, RoundingMode.HALF_EVEN).doubleValue()
            : product);
  }

  private static String unit(JsonNode arguments, String name) {
    JsonNode unit = get(arguments, name);
    if (!unit.isMissingNode() && !unit.isTextual()) {
      throw new IllegalArgumentException("A text was expected for " + name + ".");
    }
    return unit.asText().toLowerCase(Locale.ROOT);
  }

  /** As Python's {@code float}. */
  private static double real(JsonNode value) {
    if (value.isMissingNode()) {
      return 0;
    }
    if (value.isBoolean()) {
      return value.booleanValue() ? 1 : 0;
    }
    if (value.isNumber()) {
      return value.doubleValue();
    }
    String text = value.isTextual() ? PythonText.asciiDigits(PythonText.strip(value.asText())) : "";
    text = text.toLowerCase(Locale.ROOT);
    if (text.matches(
        "[-+]?([0-9](_?[0-9])*\\.?([0-9](_?[0-9])*)?|\\.[0-9](_?[0-9])*)(e[-+]?[0-9](_?[0-9])*)?")) {
      return Double.parseDouble(text.replace("_", ""));
    }
    if (text.matches("[-+]?inf(inity)?")) {
      return text.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }
    if (text.matches("[-+]?nan")) {
      return Double.NaN;
    }
    throw new IllegalArgumentException("A number was expected.");
  }

  private static Object weather(JsonNode arguments) {
    JsonNode city = get(arguments, "location");
    List<String> weather = WEATHER.getOrDefault(key(city), USUAL_WEATHER);
    return object(
        "city", plain(city),
        "temperature", weather.get(0),
        "humidity", "65%",
        "condition", weather.get(1));
  }

  private static Object time(JsonNode arguments) {
    JsonNode zone = get(arguments, "timezone");
    String time = zone.isMissingNode() ? USUAL_TIME : TIMES.getOrDefault(key(zone), USUAL_TIME);
    return object("datetime", time, "timezone", zone.isMissingNode() ? USUAL_ZONE : plain(zone));
  }

  private static Object rate(JsonNode arguments) {
    JsonNode from = get(arguments, "from_currency");
    JsonNode to = get(arguments, "to_currency");
    double rate = RATES.getOrDefault(List.of(key(from), key(to)), 1.0);
    return object("from", plain(from), "to", plain(to), "rate", rate);
  }

  private static Object translated(JsonNode arguments) {
    JsonNode text = get(arguments, "text");
    String known = TRANSLATIONS.get(List.of(key(text), key(get(arguments, "target_language"))));
    Object translated = known != null ? known : text.isMissingNode() ? "" : plain(text);
    return object("translated_text", translated);
  }
}
