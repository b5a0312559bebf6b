package io.minimind.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.minimind.chat.Message;
import io.minimind.files.InputException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RewardsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static Answer answer(String text, JsonNode expected) {
    return Answer.of(List.of(Message.user("?")), text, expected);
  }

  private static Answer answer(String text, String expected) {
    return answer(text, JSON.getNodeFactory().textNode(expected));
  }

  private static double worth(String reward, String text, String expected) throws IOException {
    return Rewards.named(reward).of(answer(text, expected));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "The sum is 12.        | 12     | 1",
        "12                    | 12.0   | 1",
        "3 + 9 = 12            | 12     | 1",
        "12 = 3 + 9            | 12     | 0",
        "1,234,567 stars       | 1234567| 1",
        "x is -7               | -7     | 1",
        "5-7                   | 7      | 1",
        "−7                    | -7     | 1",
        "it is 3.50 €          | 3.5    | 1",
        "twelve                | 12     | 0",
        "13</think>12          | 12     | 1",
        "12</think>so          | 12     | 0",
      })
  void theLastNumberCounts(String text, String expected, double worth) throws IOException {
    assertEquals(worth, worth("number", text, expected));
  }

  @Test
  void anExpectedNumberMayBeANumberInJson() throws IOException {
    assertEquals(1, Rewards.named("number").of(answer("12", JSON.readTree("12"))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "text         | ' yes\n'    | yes   | 1",
        "text         | yes sir     | yes   | 0",
        "regex        | abab        | (ab)+ | 1",
        "regex        | ababa       | (ab)+ | 0",
        "regex:[0-9]+ | 42          | -     | 1",
        "regex:[0-9]+ | 4 2         | -     | 0",
        "ended        | -           | -     | 1",
        "0.5*ended    | -           | -     | 0.5",
        "-2*ended     | -           | -     | -2",
      })
  void formsAreVerified(String reward, String text, String expected, double worth)
      throws IOException {
    assertEquals(worth, worth(reward, text, expected));
  }

  @Test
  void jsonIsVerifiedByItsSchema() throws IOException {
    JsonNode schema =
        JSON.readTree(
            "{\"type\":\"object\",\"properties\":{\"age\":{\"type\":\"integer\",\"minimum\":0}},"
                + "\"required\":[\"age\"]}");
    Reward reward = Rewards.named("json-schema");
    assertEquals(1, reward.of(answer("{\"name\": \"x\", \"age\": 3}", schema)));
    assertEquals(0, reward.of(answer("{\"age\": -3}", schema)));
    assertEquals(0, reward.of(answer("{\"age\": 3", schema)));
    assertEquals(0, reward.of(answer("{\"age\": 3} and more", schema)));
    assertEquals(0, reward.of(answer("", schema)));
    assertEquals(1, reward.of(answer("{\"age\": 3}", schema.toString())), "a schema in a text");
    assertThrows(IllegalArgumentException.class, () -> reward.of(answer("{}", "no schema")));
  }

  @Test
  void repetitionIsSeenInChineseToo() throws IOException {
    String chinese = "好好好好好好好好好好";
    assertEquals(-0.5, worth("repetition", chinese, ""));
    assertEquals(0, worth("repetition", "薄荷长得快，修剪能让它分枝更多。", ""));
    // As runs of letters, which is how the original sees it, it is one word.
    assertEquals(-0.5, worth("minimind-rules", chinese, ""));
    assertEquals(-1, worth("rules", chinese, ""));
    assertEquals(-0.25, worth("repetition", "a b c A B C", ""), "one run of four came before");
    assertEquals(0, worth("repetition", "a b", ""));
  }

  @Test
  void lengthAndThinkingAreRewarded() throws IOException {
    String twenty = "x".repeat(20);
    assertEquals(0.5, worth("length", " " + twenty + "\u3000", ""));
    assertEquals(-0.5, worth("length", twenty.substring(1), ""));
    assertEquals(-0.5, worth("length", "x".repeat(801), ""));
    assertEquals(0, worth("thinking", twenty, ""));
    assertEquals(1.25, worth("thinking", twenty + "</think>yes", ""));
    assertEquals(0.75, worth("thinking", twenty + "</think>yes</think>", ""));
    assertEquals(-0.25, worth("thinking", "</think>yes", ""));
  }

  /** A reward of one's own. */
  public static final class Vowels implements Reward {
    @Override
    public double of(Answer answer) {
      return answer.said().chars().filter(c -> "aeiou".indexOf(c) >= 0).count();
    }
  }

  @Test
  void aClassIsARewardAndSeveralAddUp() throws IOException {
    String own = Vowels.class.getName();
    assertEquals(4, worth(own, "tutorial</think>a house", ""));
    Reward sum = Rewards.sum(List.of(own, "2*ended", "text"), 1);
    assertArrayEquals(
        new double[] {2 + 2 + 1, 1 + 2}, sum.of(List.of(answer("aa", "aa"), answer("a", "b"))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nonsense           | There is no reward \"nonsense\": expected number",
        "java.lang.String   | The class java.lang.String is no Reward.",
        "regex:(            | The reward's pattern \"(\" is no regular expression",
        "number:3           | The reward \"number\" takes nothing after its name.",
        "judge:nowhere      | A judge is named by the address",
      })
  void whatIsNoRewardIsRefused(String name, String sentence) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Rewards.named(name)).getMessage();
    assertTrue(message.startsWith(sentence), message);
  }

  private static String refusal(Reward reward) {
    Reward checked = new Checked("mine", reward);
    return assertThrows(InputException.class, () -> checked.of(answer("some text", "")))
        .getMessage();
  }

  @Test
  void whatARewardDoesWrongIsASentence() {
    assertEquals(
        "The reward mine gave NaN for the answer \"some text\", where a finite number was"
            + " expected.",
        refusal(answer -> Double.NaN));
    assertEquals(
        "The reward mine failed: no network. Mend it, and go on with the run.",
        refusal(
            answer -> {
              throw new IOException("no network");
            }));
    assertTrue(
        refusal(answer -> Verified.number(answer)).contains("which holds no number"), "no number");
    Reward few =
        new Reward() {
          @Override
          public double of(Answer answer) {
            return 0;
          }

          @Override
          public double[] of(List<Answer> answers) {
            return new double[0];
          }
        };
    assertTrue(refusal(few).contains("gave 0 numbers for 1 answers"));
  }

  @Test
  void aJudgeIsAskedOverHttpAndAskedAgainIfItFails() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/v1/chat/completions",
        exchange -> {
          JsonNode request = JSON.readTree(exchange.getRequestBody());
          String question = request.at("/messages/0/content").asText();
          boolean fails = asked.incrementAndGet() == 1;
          String grade = question.contains("assistant: good") ? "Grade: 9" : "It is 2.5";
          byte[] body =
              JSON.writeValueAsBytes(
                  JSON.readTree(
                      "{\"choices\":[{\"message\":{\"content\":\"%s\"}}]}".formatted(grade)));
          exchange.sendResponseHeaders(fails ? 503 : 200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
          assertEquals("grader", request.path("model").asText());
        });
    server.start();
    try {
      String url = "http://127.0.0.1:%d/v1".formatted(server.getAddress().getPort());
      Reward judge = Rewards.named("judge:" + url + " grader");
      assertArrayEquals(
          new double[] {0.9, 0.25},
          judge.of(List.of(answer("good", "x"), answer("bad", "x"))),
          1e-9);
      assertEquals(3, asked.get(), "the one that failed came again");
    } finally {
      server.stop(0);
    }
    Reward gone =
        Rewards.named("judge:http://127.0.0.1:%d/v1 m".formatted(server.getAddress().getPort()));
    IOException e = assertThrows(IOException.class, () -> gone.of(answer("a", "b")));
    assertTrue(e.getMessage().contains("cannot be asked"), e.getMessage());
  }
}
