package io.minimind.infer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.minimind.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * How a model's answers spell their reasoning and their calls of tools. That follows from the chat
 * template, which spells them for earlier answers.
 *
 * @param thinks whether what stands between {@code <think>} and {@code </think>} is reasoning
 * @param calls how a tool is called
 */
record ReplyFormat(boolean thinks, Calls calls) {
  static final String THINK = "<think>";
  static final String THINK_END = "</think>";

  /** What is between the markers, where there are no such things. */
  static final ReplyFormat PLAIN = new ReplyFormat(false, Calls.OBJECT);

  /** Made for the first call that is read: who reads none need not wait for it. */
  private static final class Json {
    static final JsonMapper MAPPER =
        JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  }

  /** How a tool is called; an end that is empty is that of the answer. */
  enum Calls {
    /** {@code <tool_call>{"name": …, "arguments": …}</tool_call>} */
    TAGS("<tool_call>", "</tool_call>"),
    /** {@code [TOOL_CALLS][{"name": …, "arguments": …}]} */
    LIST("[TOOL_CALLS]", ""),
    /** The whole answer is one JSON object with a name and arguments. */
    OBJECT("", "");

    private final String begin;
    private final String end;

    Calls(String begin, String end) {
      this.begin = begin;
      this.end = end;
    }

    String begin() {
      return begin;
    }

    String end() {
      return end;
    }
  }

  /**
   * @param template source of the chat template
   */
  static ReplyFormat of(String template) {
    Calls calls =
        template.contains(Calls.TAGS.begin)
            ? Calls.TAGS
            : template.contains(Calls.LIST.begin) ? Calls.LIST : Calls.OBJECT;
    return new ReplyFormat(template.contains(THINK_END), calls);
  }

  /**
   * The calls that a text spells; none if it is anything else.
   *
   * @param text what stands between the markers
   * @param id names the next call
   */
  static List<ToolCall> read(String text, IntFunction<String> id) {
    List<ToolCall> calls = new ArrayList<>();
    try {
      JsonNode root = Json.MAPPER.readTree(text);
      for (JsonNode call : root.isArray() ? root : List.of(root)) {
        Optional<ToolCall> read = read(call, id.apply(calls.size()));
        if (read.isEmpty()) {
          return List.of();
        }
        calls.add(read.get());
      }
    } catch (JsonProcessingException e) {
      return List.of();
    }
    return calls;
  }

  private static Optional<ToolCall> read(JsonNode call, String id) {
    JsonNode name = call.path("name");
    JsonNode arguments = call.has("arguments") ? call.path("arguments") : call.path("parameters");
    if (!name.isTextual() || !(arguments.isObject() || arguments.isTextual())) {
      return Optional.empty();
    }
    String text = arguments.isTextual() ? arguments.textValue() : arguments.toString();
    return Optional.of(new ToolCall(id, name.textValue(), text));
  }
}
