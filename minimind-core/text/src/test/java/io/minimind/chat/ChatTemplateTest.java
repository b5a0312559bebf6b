package io.minimind.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.template.MarkedText;
import io.minimind.template.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {

  private static final List<Message> TALK =
      List.of(
          Message.system("be {{ nice }}"),
          Message.user("你好"),
          Message.assistant("hi"),
          Message.user("bye"));

  @TempDir private Path folder;

  @Test
  void minimindsTemplateIsTheOneOfItsDescription() {
    String expected =
        "be {{ nice }}<s>user\n你好</s>\n<s>assistant\nhi</s>\n<s>user\nbye</s>\n<s>assistant\n";
    assertEquals(expected, ChatTemplate.minimind().render(TALK));
    ChatTemplate plain = ChatTemplate.parse(ChatTemplate.MINIMIND, Map.of());
    assertEquals(expected, plain.render(TALK));
    assertEquals(
        expected, plain.render(TALK, TemplateOptions.defaults().withAddGenerationPrompt(true)));
    assertFalse(plain.marksGeneration());
    assertEquals("", plain.render(List.of()));
  }

  @Test
  void theTemplateOfChatMlWritesThoughtsAndCalls() {
    ChatTemplate template = ChatTemplate.parse(ChatTemplate.CHAT_ML, Map.of());
    List<Message> talk =
        List.of(
            Message.system("S"),
            Message.user("Q"),
            Message.assistant("A").withReasoning("T"),
            Message.user("R"),
            Message.assistant("").withToolCalls(List.of(new ToolCall("1", "f", "{\"x\": 1}"))),
            Message.of("tool", "2"),
            Message.of("tool", "3"),
            Message.assistant("<think>U</think>B"));
    assertEquals(
        """
        <|im_start|>system
        S<|im_end|>
        <|im_start|>user
        Q<|im_end|>
        <|im_start|>assistant
        <think>
        T
        </think>

        A<|im_end|>
        <|im_start|>user
        R<|im_end|>
        <|im_start|>assistant
        <think>

        </think>

        <tool_call>
        {"name": "f", "arguments": {"x": 1}}
        </tool_call><|im_end|>
        <|im_start|>user
        <tool_response>
        2
        </tool_response>
        <tool_response>
        3
        </tool_response><|im_end|>
        <|im_start|>assistant
        <think>
        U
        </think>

        B<|im_end|>
        """,
        template.render(talk));
    TemplateOptions asking = TemplateOptions.defaults().withAddGenerationPrompt(true);
    List<Message> question = List.of(Message.user("Q"));
    String asked = "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n<think>\n";
    assertEquals(asked + "\n</think>\n\n", template.render(question, asking));
    assertEquals(asked, template.render(question, asking.withVariable("open_thinking", true)));
    String tools = template.render(question, asking.withTools(List.of(Map.of("name", "f"))));
    assertTrue(tools.startsWith("<|im_start|>system\n"), tools);
    assertTrue(tools.contains("<tools>\n{\"name\": \"f\"}\n</tools>"), tools);
    assertTrue(tools.endsWith(asked + "\n</think>\n\n"), tools);
  }

  /** But for the words that introduce tools. */
  @Test
  void theTemplateOfChatMlIsMiniMindsOfToday() throws IOException {
    Optional<Path> reference = reference();
    Assumptions.assumeTrue(reference.isPresent(), "the reference numbers are not there");
    ChatTemplate template = ChatTemplate.parse(ChatTemplate.CHAT_ML, Map.of());
    JsonNode root = new ObjectMapper().readTree(reference.get().toFile());
    int compared = 0;
    for (JsonNode rendering : root.get("renderings")) {
      if (!rendering.path("tools").isEmpty()) {
        continue;
      }
      List<Message> messages = new ArrayList<>();
      for (JsonNode message : rendering.get("messages")) {
        Map<String, Object> fields =
            new ObjectMapper().convertValue(message, new TypeReference<>() {});
        fields.remove("role");
        messages.add(new Message(message.get("role").textValue(), "", fields));
      }
      Map<String, Object> variables =
          new ObjectMapper().convertValue(rendering.get("options"), new TypeReference<>() {});
      assertEquals(
          rendering.get("text").textValue(),
          template.render(messages, TemplateOptions.defaults().withVariables(variables)));
      compared++;
    }
    assertTrue(compared > 10, "renderings: " + compared);
  }

  private static Optional<Path> reference() {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null) {
      Path file = folder.resolve("shared/golden-head/head_chat_template.json");
      if (Files.exists(file)) {
        return Optional.of(file);
      }
      folder = folder.getParent();
    }
    return Optional.empty();
  }

  @Test
  void minimindsTemplateMarksWhatTheAssistantWrites() {
    ChatTemplate template = ChatTemplate.minimind();
    assertTrue(template.marksGeneration());
    MarkedText marked = template.renderMarked(TALK, TemplateOptions.defaults());
    assertEquals(
        List.of("hi</s>"),
        marked.spans().stream()
            .map(span -> marked.text().substring(span.start(), span.end()))
            .toList());
    assertEquals(template.render(TALK), marked.text());
  }

  @Test
  void givesTheTemplateWhatTransformersGives() {
    ChatTemplate template =
        ChatTemplate.parse(
            "{{ bos_token }}{{ pad_token is defined }} {{ tools is none }} {{ tools is defined }}"
                + " {{ add_generation_prompt }} {{ messages[0].role }} {{ messages[0].content }}"
                + " {{ messages[0].tool_calls | tojson }} {{ think }}",
            Map.of("bos_token", "<s>"));
    List<Message> messages =
        List.of(Message.of("tool", "x").with("content", null).with("tool_calls", List.of(1)));
    assertEquals("<s>False True True False tool None [1] ", template.render(messages));
    TemplateOptions options =
        TemplateOptions.defaults()
            .withAddGenerationPrompt(true)
            .withTools(List.of(Map.of("name", "f")))
            .withVariable("think", 7)
            .withVariable("bos_token", "<b>");
    assertEquals("<b>False False True True tool None [1] 7", template.render(messages, options));
  }

  @Test
  void loadsTheTemplateOfATokenizer() throws IOException {
    assertEquals(Optional.empty(), ChatTemplate.find(folder));
    IOException none = assertThrows(IOException.class, () -> ChatTemplate.load(folder));
    assertTrue(none.getMessage().contains(folder.toString()), none.getMessage());

    write("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"pad_token\": null}");
    assertEquals(Optional.empty(), ChatTemplate.find(folder));

    write(
        "tokenizer_config.json",
        "{\"bos_token\": {\"content\": \"<b>\"}, \"eos_token\": \"</s>\","
            + " \"chat_template\": \"{{ bos_token + eos_token }}\"}");
    assertEquals("<b></s>", ChatTemplate.load(folder).render(TALK));

    write(
        "tokenizer_config.json",
        "{\"bos_token\": \"<s>\", \"chat_template\": [{\"name\": \"rag\", \"template\": \"no\"},"
            + " {\"name\": \"default\", \"template\": \"yes\"}]}");
    assertEquals("yes", ChatTemplate.load(folder).render(TALK));

    write("chat_template.jinja", "own {{ bos_token }}\n");
    assertEquals("own <s>", ChatTemplate.load(folder).render(TALK));
  }

  @Test
  void saysWhereAFileIsMalformed() throws IOException {
    Path file = write("tokenizer_config.json", "{\"chat_template\":\n  oops}");
    String json = assertThrows(IOException.class, () -> ChatTemplate.load(folder)).getMessage();
    assertTrue(json.startsWith(file + " is not valid JSON at line 2, column "), json);

    write("tokenizer_config.json", "{\"chat_template\": " + "[".repeat(5000));
    String deep = assertThrows(IOException.class, () -> ChatTemplate.load(folder)).getMessage();
    assertTrue(deep.startsWith(file + " is not valid JSON: it is nested more than"), deep);

    write("tokenizer_config.json", "{\"chat_template\": \"a\\n{% if x %}\"}");
    String template =
        assertThrows(TemplateException.class, () -> ChatTemplate.load(folder)).getMessage();
    assertTrue(template.startsWith("chat_template of " + file + ", line 2, column "), template);

    write("tokenizer_config.json", "{\"chat_template\": [{\"name\": \"rag\"}]}");
    String list = assertThrows(IOException.class, () -> ChatTemplate.load(folder)).getMessage();
    assertTrue(list.startsWith(file + ": chat_template is neither"), list);

    Path own = folder.resolve("chat_template.jinja");
    Files.write(own, new byte[] {(byte) 0xff});
    String bytes = assertThrows(IOException.class, () -> ChatTemplate.load(folder)).getMessage();
    assertEquals(own + " is not valid UTF-8: save it as UTF-8.", bytes);
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }
}
