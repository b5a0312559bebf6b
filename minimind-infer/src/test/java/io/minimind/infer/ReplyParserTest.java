package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.minimind.chat.Message;
import io.minimind.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class ReplyParserTest {
  private static final ReplyFormat TAGS = ReplyFormat.of("</think> <tool_call>");
  private static final ReplyFormat LIST = ReplyFormat.of("[TOOL_CALLS]");

  private static ReplyParser parser(ReplyFormat format, boolean thinking) {
    return new ReplyParser(format, true, thinking, i -> "c" + i);
  }

  private static Message read(ReplyFormat format, String answer) {
    return parser(format, false).message(answer);
  }

  private static List<ToolCall> calls(String... namesAndArguments) {
    List<ToolCall> calls = new ArrayList<>();
    for (int i = 0; i < namesAndArguments.length; i += 2) {
      calls.add(new ToolCall("c" + i / 2, namesAndArguments[i], namesAndArguments[i + 1]));
    }
    return calls;
  }

  @Test
  void reasoningStandsApart() {
    Message message = read(TAGS, "\n<think>\nWhy? <b> </thin\n</think>\n\nSo.\n");
    assertEquals("Why? <b> </thin", message.reasoning().orElseThrow());
    assertEquals("So.\n", message.content());
    Message begun = parser(TAGS, true).message("\nWhy?\n</think>\n\nSo.");
    assertEquals("Why?", begun.reasoning().orElseThrow());
    assertEquals("So.", begun.content());
    assertEquals(Message.assistant("So."), parser(TAGS, true).message("</think>So."));
    assertEquals(
        Message.assistant("").withReasoning("Never done"), read(TAGS, "<think>Never done"));
  }

  @Test
  void callsStandApart() {
    String answer =
        """
        I look.

        <tool_call>
        {"name": "weather", "arguments": {"city": "Oslo", "days": [1, 2]}}
        </tool_call>
        <tool_call>{"name":"time","arguments":{}}</tool_call>\
        """;
    assertEquals(
        Message.assistant("I look.")
            .withToolCalls(calls("weather", "{\"city\":\"Oslo\",\"days\":[1,2]}", "time", "{}")),
        read(TAGS, answer));
    assertEquals(
        Message.assistant("").withToolCalls(calls("a", "{}", "b", "{\"x\":1}")),
        read(
            LIST,
            "[TOOL_CALLS] [{\"name\":\"a\",\"arguments\":{}},"
                + "{\"name\":\"b\",\"arguments\":{\"x\":1}}]"));
    assertEquals(
        Message.assistant("").withToolCalls(calls("a", "{\"x\":null}")),
        read(ReplyFormat.PLAIN, " {\"name\": \"a\", \"parameters\": {\"x\": null}}"));
  }

  @Test
  void anEndThatWasCutOffIsNoHarmWhereTheCallIsComplete() {
    assertEquals(
        Message.assistant("").withToolCalls(calls("a", "{}")),
        read(TAGS, "<tool_call>\n{\"name\": \"a\", \"arguments\": {}}"));
  }

  @Test
  void whatCannotBeReadIsText() {
    for (String answer :
        List.of(
            "<tool_call>{\"name\": \"a\"</tool_call> x",
            "<tool_call>{\"name\": 1, \"arguments\": {}}</tool_call>",
            "a <tool_call>[1]</tool_call>",
            "<tool_call>")) {
      Message message = read(TAGS, answer);
      assertEquals(List.of(), message.toolCalls(), answer);
      assertEquals(answer.replace(" ", ""), message.content().replace(" ", ""));
    }
    assertEquals("{\"a\": 1}", read(ReplyFormat.PLAIN, "{\"a\": 1}").content());
  }

  @Test
  void withoutToolsAndReasoningNothingIsTouched() {
    String answer = " \n<think> x </think> <tool_call>{\"name\":\"a\",\"arguments\":{}}\n ";
    ReplyParser plain = new ReplyParser(ReplyFormat.PLAIN, false, false, i -> "c" + i);
    assertEquals(Message.assistant(answer), plain.message(answer));
  }

  @Provide
  private Arbitrary<List<String>> pieces() {
    return Arbitraries.of(
            "<think>",
            "</think>",
            "<thi",
            "nk>",
            "<tool_call>",
            "</tool_call>",
            "</tool",
            "_call>",
            "{\"name\":\"a\",\"arguments\":{\"b\":\"<think>\"}}",
            "[TOOL_CALLS]",
            "[",
            "]",
            " ",
            "\n",
            "x",
            "<")
        .list()
        .ofMaxSize(12);
  }

  @Property
  void piecesAddUpToTheWhole(@ForAll("pieces") List<String> pieces, @ForAll boolean thinking) {
    for (ReplyFormat format : List.of(TAGS, LIST, ReplyFormat.PLAIN)) {
      ReplyParser parser = parser(format, thinking);
      List<ReplyPart> parts = new ArrayList<>();
      pieces.forEach(piece -> parts.addAll(parser.next(piece)));
      parts.addAll(parser.finish());
      Message whole = parser(format, thinking).message(String.join("", pieces));
      assertEquals(whole.content(), joined(parts, ReplyPart.Text.class));
      assertEquals(whole.reasoning().orElse(""), joined(parts, ReplyPart.Reasoning.class));
      assertEquals(
          whole.toolCalls(),
          parts.stream()
              .filter(ReplyPart.Call.class::isInstance)
              .map(part -> ((ReplyPart.Call) part).call())
              .toList());
    }
  }

  private static String joined(List<ReplyPart> parts, Class<? extends ReplyPart> kind) {
    StringBuilder text = new StringBuilder();
    for (ReplyPart part : parts) {
      if (kind.isInstance(part)) {
        text.append(
            part instanceof ReplyPart.Text said
                ? said.text()
                : ((ReplyPart.Reasoning) part).text());
      }
    }
    return text.toString();
  }
}
