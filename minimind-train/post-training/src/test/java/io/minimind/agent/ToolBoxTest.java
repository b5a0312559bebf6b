package io.minimind.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ToolBoxTest {

  /** Results are what CPython 3.12 prints. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 + 2 * 3          | 7",
        "(1 + 2) * 3        | 9",
        "7 / 2              | 3.5",
        "6 / 2              | 3.0",
        "-7 // 2            | -4",
        "-7 % 3             | 2",
        "7 % -3             | -2",
        "-7.5 // 2          | -4.0",
        "-7.5 % 2           | 0.5",
        "2 ** 10            | 1024",
        "2 ** -1            | 0.5",
        "-2 ** 2            | -4",
        "2 ** 3 ** 2        | 512",
        "2 ** 0.5           | 1.4142135623730951",
        "0.1 + 0.2          | 0.30000000000000004",
        "1e16               | 1e+16",
        "1e22 * 10          | 1e+23",
        "10 ** 20 / 3       | 3.333333333333333e+19",
        "1_000 * 3          | 3000",
        "0x1f + 0b11 + 0o7  | 41",
        "math.sqrt(2) * 2   | 2.8284271247461903",
        "math.floor(-2.5)   | -3",
        "math.factorial(20) | 2432902008176640000",
        "math.gcd(12, 18)   | 6",
        "math.comb(5, 2)    | 10",
        "math.log(8, 2)     | 3.0",
        "2 ** 100           | 1267650600228229401496703205376",
        "1,000 + 1          | (1, 1)",
        "3 * 5,             | (15,)",
      })
  void sumsAreComputedAsPythonDoes(String expression, String value) {
    assertEquals(value, Arithmetic.evaluate(expression));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "2 +",
        "(1",
        "1)",
        "007",
        "12 34",
        "1__0",
        "x",
        "abs(1)",
        "1 / 0",
        "5 % 0",
        "0 ** -1",
        "math.sqrt(-1)",
        "math.log(0)",
        "math.nothing(1)",
        "__import__('os')",
        "9 ** 9 ** 9",
        "math.factorial(10 ** 9)",
        "10.0 ** 400",
        "(-8) ** 0.5",
        "1 if 1 else 2",
        "1\n+ 2",
        ",",
        "1,,2"
      })
  void whatIsNoSumHasNoValue(String expression) {
    assertThrows(ArithmeticException.class, () -> Arithmetic.evaluate(expression));
  }

  @Test
  void linesMayBreakInBracketsAndAtTheEnds() {
    assertEquals("7", Arithmetic.evaluate("\n(1 +\n 2) * 2 + 1 \n\n"));
    assertEquals("4.0", Arithmetic.evaluate("math.pow(2,\r\n2)"));
  }

  @Test
  void bracketsWithoutEndAreNoStackOverflow() {
    String deep = "(".repeat(100_000) + "1" + ")".repeat(100_000);
    assertThrows(ArithmeticException.class, () -> Arithmetic.evaluate(deep));
    assertThrows(ArithmeticException.class, () -> Arithmetic.evaluate("-".repeat(100_000) + "1"));
  }

  private static String answer(ToolBox tools, String call) {
    List<JsonNode> calls = ToolCalls.in("so: <tool_call>" + call + "</tool_call>");
    assertEquals(1, calls.size());
    return tools.answer(calls.get(0));
  }

  @Test
  void callsAreAnsweredAndWhatFailsIsTold() {
    ToolBox tools = ToolBox.mock();
    assertEquals(
        "{\"result\": \"50\"}",
        answer(
            tools, "{\"name\": \"calculate_math\", \"arguments\": {\"expression\": \"12×4+2\"}}"));
    assertEquals(
        "{\"city\": \"上海\", \"temperature\": \"15°C\", \"humidity\": \"65%\", \"condition\":"
            + " \"多云\"}",
        answer(
            tools,
            "{\"name\": \"get_current_weather\", \"arguments\": \"{\\\"location\\\":"
                + " \\\"上海\\\"}\"}"));
    assertEquals(
        "{\"error\": \"tool not found\"}",
        answer(tools, "{\"name\": \"calculate_math\", \"arguments\": {\"expression\": \"1/0\"}}"));
    assertEquals("{\"error\": \"tool not found\"}", answer(tools, "{\"name\": \"none\"}"));
    assertEquals("{\"error\": \"tool not found\"}", answer(tools, "[1]"));
    assertEquals(
        "{\"result\": 19.3121}",
        answer(
            tools,
            "{\"name\": \"unit_converter\", \"arguments\": {\"value\": \"\u3000１２\","
                + " \"from_unit\": \"miles\", \"to_unit\": \"KM\"}}"),
        "digits of any script, within what Python takes for space");
    assertEquals(6, tools.descriptions().size());
  }

  /** That tells the time needs none, so whatever stands in their place is as good. */
  @Test
  void argumentsAreThereOrNotNeeded() {
    ToolBox tools = ToolBox.mock();
    String call = "<tool_call>{\"name\": \"%s\", \"arguments\": %s}</tool_call>";
    for (String arguments : List.of("{}", "[1]", "null", "\"\"")) {
      JsonNode time = ToolCalls.in(call.formatted("get_current_time", arguments)).get(0);
      assertTrue(tools.accepting(time).isPresent(), arguments);
      JsonNode weather = ToolCalls.in(call.formatted("get_current_weather", arguments)).get(0);
      assertTrue(tools.accepting(weather).isEmpty(), arguments);
    }
  }

  private static AgentTool tool(String name, Callable<Object> call) {
    return new AgentTool() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public Map<String, Object> description() {
        return Map.of();
      }

      @Override
      public boolean accepts(JsonNode arguments) {
        return true;
      }

      @Override
      public Object call(JsonNode arguments) throws Exception {
        return call.call();
      }
    };
  }

  @Test
  void aToolThatHangsOrBreaksHoldsNothingUp() throws InterruptedException {
    CountDownLatch interrupted = new CountDownLatch(1);
    AgentTool hangs =
        tool(
            "hangs",
            () -> {
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException e) {
                interrupted.countDown();
              }
              return 1;
            });
    AgentTool overflows =
        tool(
            "overflows",
            () -> {
              throw new StackOverflowError();
            });
    AgentTool talks = tool("talks", () -> "x".repeat(10_000));
    ToolBox tools = new ToolBox(List.of(hangs, overflows, talks), Duration.ofMillis(200));
    assertEquals("{\"error\": \"tool not found\"}", answer(tools, "{\"name\": \"hangs\"}"));
    interrupted.await();
    assertEquals("{\"error\": \"tool not found\"}", answer(tools, "{\"name\": \"overflows\"}"));
    assertEquals(2048, answer(tools, "{\"name\": \"talks\"}").length());
  }

  @Test
  void onlyWhatIsJsonIsACall() {
    assertTrue(ToolCalls.in("<tool_call>{bad}</tool_call>").isEmpty());
    assertTrue(ToolCalls.in("<tool_call>{\"name\": \"a\"}").isEmpty());
    List<JsonNode> calls =
        ToolCalls.in("a<tool_call> {\"name\": \"a\"}\n</tool_call>b<tool_call>null</tool_call>");
    assertEquals(2, calls.size());
    assertEquals("a", ToolCalls.name(calls.get(0)));
    assertEquals("", ToolCalls.name(calls.get(1)));
    assertFalse(ToolCalls.arguments(calls.get(0)).isTextual());
    assertEquals(1, ToolCalls.in("<tool_call>\u00a0{}\u3000\u0085</tool_call>").size(), "space");
  }
}
