package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.chat.Message;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConversationTest {

  private static List<Message> of(String... cells) {
    return Conversation.of(new Row(1, 2, List.of(cells))).messages();
  }

  private static void assertRefused(String part, String... cells) {
    Exception e = assertThrows(IllegalArgumentException.class, () -> of(cells));
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertTrue(
        e.getMessage().startsWith("it"), "goes on after the row's number: " + e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "[]", "()", "[['only a question']]", "[[], ['x',]]"})
  void withoutHistoryThereIsOneTurn(String history) {
    assertEquals(List.of(Message.user("q"), Message.assistant("a")), of(history, "q", "a"));
  }

  @Test
  void historyComesBeforeTheQuestion() {
    assertEquals(
        List.of(
            Message.user("它's"),
            Message.assistant("a \"b\"\n"),
            Message.user("7"),
            Message.assistant(""),
            Message.user(" q "),
            Message.assistant(" a ")),
        of("[[\"它's\", 'a \"b\"\\n', 'more'], (7, '')]", " q ", " a "));
  }

  @Test
  void brokenTurnsAreRefused() {
    assertRefused("its history is no Python list: expected", "[['a', 'b'", "q", "a");
    assertRefused("its history is no Python list of pairs", "'ab'", "q", "a");
    assertRefused("its history holds \"ab\" where a pair", "['ab']", "q", "a");
    assertRefused("its history holds null where a text", "[['a', None]]", "q", "a");
    assertRefused("its question is empty", "[]", " \n", "a");
    assertRefused("its answer is empty", "[]", "q", "　");
    for (int cell : List.of(1, 2)) {
      Row json = new Row(1, 1, List.of("[]", "[1]", "[1]"), Set.of(cell));
      Exception e = assertThrows(IllegalArgumentException.class, () -> Conversation.of(json));
      assertEquals("it has [1] where a text in quotes was expected.", e.getMessage());
    }
  }

  @Test
  void messagesAndShareGptAreRead() {
    List<Message> expected =
        List.of(Message.system("s"), Message.user("q"), Message.assistant("a"));
    assertEquals(
        expected,
        of(
            "[{\"role\":\"system\",\"content\":\"s\"},{\"content\":\"q\",\"role\":\"user\"},"
                + "{\"role\":\"assistant\",\"content\":\"a\"}]"));
    assertEquals(
        expected,
        of(
            "[{'from': 'system', 'value': 's'}, {'from': 'human', 'value': 'q'},"
                + " {'from': 'gpt', 'value': 'a'}, {'from': 'human', 'value': 'dropped'}]"));
  }

  @Test
  void brokenMessagesAreRefused() {
    assertRefused("its messages are neither JSON nor a Python literal", "[{]");
    assertRefused("its messages are no list", "{'role': 'user', 'content': 'q'}");
    assertRefused("it has no answer", "[]");
    assertRefused("it has no answer", "[{'role': 'user', 'content': 'q'}]");
    assertRefused("its message 1 is from \"robot\"", "[{'role': 'robot', 'content': 'q'}]");
    assertRefused("its message 1 is from \"\"", "['q']");
    assertRefused("its message 1 holds nothing", "[{'role': 'user'}]");
    assertRefused("its message 1 holds [\"q\"]", "[{'role': 'user', 'content': ['q']}]");
    assertRefused("its last answer is empty", "[{'role': 'assistant', 'content': ' '}]");
  }
}
