package io.minimind.server;

import static io.minimind.server.DemoServer.JSON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.chat.Message;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.Reply;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** OpenAI's endpoints, asked with nothing but HTTP. */
class OpenAiTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String WHO =
      "\"model\": \"minimind-demo\", \"messages\": [{\"role\": \"user\", \"content\": \"你是谁？\"}]";
  private static final String GREEDY = WHO + ", \"temperature\": 0, \"max_tokens\": 40";
  private static final String TOOLS =
      """
      , "tools": [{"type": "function", "function": {"name": "tide", "description": "Tells the tide",
      "parameters": {"type": "object", "properties": {"day": {"enum": ["today", "tomorrow"]}},
      "required": ["day"]}}}, {"type": "function", "function": {"name": "now"}}]\
      """;

  private static DemoServer server;
  private static Reply alone;

  @BeforeAll
  static void start() throws IOException {
    server = DemoServer.start(builder -> builder);
    alone =
        server
            .model()
            .reply(
                List.of(Message.user("你是谁？")),
                ChatOptions.defaults()
                    .withGeneration(GenerationOptions.greedy().withMaxNewTokens(40)));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode chat(String fields) throws IOException {
    return server.ask(CHAT, "{" + fields + "}");
  }

  private static List<JsonNode> streamed(String path, String fields) throws IOException {
    List<String> events = server.events(path, "{" + fields + ", \"stream\": true}");
    assertEquals("[DONE]", events.get(events.size() - 1));
    List<JsonNode> chunks = new ArrayList<>();
    for (String event : events.subList(0, events.size() - 1)) {
      chunks.add(JSON.readTree(event));
    }
    return chunks;
  }

  private static String joined(List<JsonNode> chunks, int choice, String field) {
    StringBuilder text = new StringBuilder();
    for (JsonNode chunk : chunks) {
      for (JsonNode one : chunk.path("choices")) {
        if (one.path("index").intValue() == choice) {
          text.append(one.path("delta").path(field).asText(""));
        }
      }
    }
    return text.toString();
  }

  @Test
  void anAnswerIsThatOfTheModelAlone() throws IOException {
    JsonNode answer = chat(GREEDY);
    assertEquals("chat.completion", answer.path("object").textValue());
    assertEquals("minimind-demo", answer.path("model").textValue());
    JsonNode choice = answer.path("choices").path(0);
    assertEquals(alone.text(), choice.path("message").path("content").textValue());
    assertEquals("stop", choice.path("finish_reason").textValue());
    JsonNode usage = answer.path("usage");
    int prompt = alone.generation().promptTokens();
    int written = alone.generation().tokenIds().length;
    assertEquals(prompt, usage.path("prompt_tokens").intValue());
    assertEquals(written, usage.path("completion_tokens").intValue());
    assertEquals(prompt + written, usage.path("total_tokens").intValue());
  }

  @Test
  void aStreamIsTheSameInPieces() throws IOException {
    List<JsonNode> chunks =
        streamed(CHAT, GREEDY + ", \"stream_options\": {\"include_usage\": true}");
    assertEquals(alone.text(), joined(chunks, 0, "content"));
    assertEquals("assistant", chunks.get(0).at("/choices/0/delta/role").textValue());
    assertEquals(1, chunks.stream().map(chunk -> chunk.path("id").textValue()).distinct().count());
    JsonNode last = chunks.get(chunks.size() - 1);
    assertEquals(0, last.path("choices").size());
    assertEquals(
        alone.generation().tokenIds().length,
        last.path("usage").path("completion_tokens").intValue());
    assertEquals("stop", chunks.get(chunks.size() - 2).at("/choices/0/finish_reason").textValue());
    assertTrue(chunks.size() > 5);
    List<JsonNode> without = streamed(CHAT, GREEDY);
    assertTrue(without.stream().noneMatch(chunk -> chunk.has("usage")));
  }

  @Test
  void severalAnswersHaveSeedsOfTheirOwnAndRepeat() throws IOException {
    String several = WHO + ", \"n\": 3, \"seed\": 5, \"temperature\": 2, \"max_tokens\": 3";
    JsonNode answer = chat(several);
    List<String> texts = new ArrayList<>();
    answer.path("choices").forEach(c -> texts.add(c.at("/message/content").textValue()));
    assertEquals(3, texts.size());
    assertNotEquals(texts.get(0), texts.get(1));
    assertTrue(answer.at("/usage/completion_tokens").intValue() <= 9);
    List<JsonNode> chunks = streamed(CHAT, several);
    for (int i = 0; i < 3; i++) {
      assertEquals(texts.get(i), joined(chunks, i, "content"));
    }
  }

  @Test
  void theNextTurnComputesOnlyWhatIsNew() throws IOException {
    String said = JSON.writeValueAsString(alone.text());
    chat(GREEDY);
    JsonNode next =
        chat(
            "\"temperature\": 0, \"max_tokens\": 5, \"messages\": [{\"role\": \"user\","
                + " \"content\": \"你是谁？\"}, {\"role\": \"assistant\", \"content\": "
                + said
                + "}, {\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\":"
                + " \"再说一遍\"}]}]");
    int cached = next.at("/usage/prompt_tokens_details/cached_tokens").intValue();
    assertTrue(
        cached >= alone.generation().promptTokens() + alone.generation().tokenIds().length - 1,
        next.toString());
  }

  @Test
  void stopStringsBiasPenaltiesAndLogProbabilities() throws IOException {
    String stop = alone.text().substring(3, 5);
    JsonNode stopped = chat(GREEDY + ", \"stop\": \"" + stop + "\"");
    assertEquals(
        alone.text().substring(0, alone.text().indexOf(stop)),
        stopped.at("/choices/0/message/content").textValue());
    int first = alone.generation().tokenIds()[0];
    JsonNode biased =
        chat(GREEDY + ", \"logprobs\": true, \"logit_bias\": {\"" + first + "\": -100}");
    assertNotEquals(alone.text(), biased.at("/choices/0/message/content").textValue());
    JsonNode told = chat(GREEDY + ", \"logprobs\": true, \"top_logprobs\": 2");
    JsonNode tokens = told.at("/choices/0/logprobs/content");
    assertEquals(alone.generation().tokenIds().length, tokens.size());
    assertEquals(2, tokens.path(0).path("top_logprobs").size());
    assertEquals(
        tokens.path(0).path("logprob").doubleValue(),
        tokens.path(0).at("/top_logprobs/0/logprob").doubleValue());
    StringBuilder bytes = new StringBuilder();
    for (JsonNode token : tokens) {
      token.path("bytes").forEach(b -> bytes.append((char) b.intValue()));
    }
    assertEquals(
        alone.text(),
        DemoServer.string(bytes.toString().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)));
    List<JsonNode> chunks = streamed(CHAT, GREEDY + ", \"logprobs\": true");
    assertEquals(
        tokens.size(),
        chunks.stream().mapToInt(c -> c.at("/choices/0/logprobs/content").size()).sum());
    JsonNode cut = chat(WHO + ", \"temperature\": 0, \"max_completion_tokens\": 2");
    assertEquals("length", cut.at("/choices/0/finish_reason").textValue());
    assertEquals(2, cut.at("/usage/completion_tokens").intValue());
    JsonNode penalized = chat(GREEDY + ", \"presence_penalty\": 2, \"frequency_penalty\": 2");
    assertTrue(penalized.at("/choices/0/message/content").isTextual());
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "3"})
  void jsonOfASchemaAlwaysParses(int seed) throws IOException {
    String schema =
        """
        , "temperature": 1, "max_tokens": 120, "seed": %d, "response_format": {"type": "json_schema",
        "json_schema": {"name": "person", "strict": true, "schema": {"type": "object",
        "properties": {"name": {"type": "string", "maxLength": 8},
        "age": {"type": "integer", "minimum": 0, "maximum": 120}},
        "required": ["name", "age"], "additionalProperties": false}}}\
        """
            .formatted(seed);
    JsonNode person = JSON.readTree(chat(WHO + schema).at("/choices/0/message/content").asText());
    assertTrue(person.path("name").isTextual());
    assertTrue(person.path("age").intValue() <= 120);
    String any =
        ", \"max_tokens\": 60, \"seed\": %d, \"response_format\": {\"type\": \"json_object\"}"
            .formatted(seed);
    assertTrue(JSON.readTree(joined(streamed(CHAT, WHO + any), 0, "content")).isObject());
  }

  @Test
  void aForcedToolIsCalledWithArgumentsOfItsSchema() throws IOException {
    String named =
        WHO
            + TOOLS
            + ", \"tool_choice\": {\"type\": \"function\", \"function\": {\"name\": \"tide\"}}";
    JsonNode choice = chat(named).at("/choices/0");
    assertEquals("tool_calls", choice.path("finish_reason").textValue());
    assertTrue(choice.at("/message/content").isNull());
    JsonNode call = choice.at("/message/tool_calls/0");
    assertEquals("tide", call.at("/function/name").textValue());
    JsonNode arguments = JSON.readTree(call.at("/function/arguments").textValue());
    assertTrue(List.of("today", "tomorrow").contains(arguments.path("day").textValue()));

    List<JsonNode> chunks = streamed(CHAT, WHO + TOOLS + ", \"tool_choice\": \"required\"");
    List<JsonNode> calls = new ArrayList<>();
    chunks.forEach(chunk -> chunk.at("/choices/0/delta/tool_calls").forEach(calls::add));
    assertEquals(1, calls.size());
    assertEquals(0, calls.get(0).path("index").intValue());
    assertTrue(JSON.readTree(calls.get(0).at("/function/arguments").asText()).isObject());
    assertEquals(
        "tool_calls", chunks.get(chunks.size() - 1).at("/choices/0/finish_reason").textValue());

    // What the tool gave back goes on; without a template that knows tools the model answers.
    String back =
        WHO.substring(0, WHO.length() - 1)
            + ", {\"role\": \"assistant\", \"content\": null, \"tool_calls\": ["
            + call
            + "]}, {\"role\": \"tool\", \"tool_call_id\": \""
            + call.path("id").textValue()
            + "\", \"content\": \"09:40\"}], \"max_tokens\": 8"
            + TOOLS
            + ", \"tool_choice\": \"auto\"";
    assertTrue(chat(back).at("/choices/0/message/content").isTextual());
  }

  @Test
  void textsAreContinued() throws IOException {
    GenerationOptions options = GenerationOptions.greedy().withMaxNewTokens(7);
    String expected = server.model().generate("云港的河", options).text();
    String fields = "\"prompt\": [\"云港的河\", \"白婶\"], \"max_tokens\": 7, \"temperature\": 0";
    JsonNode answer = server.ask("/v1/completions", "{" + fields + ", \"logprobs\": 1}");
    assertEquals("text_completion", answer.path("object").textValue());
    assertEquals(expected, answer.at("/choices/0/text").textValue());
    assertEquals(2, answer.path("choices").size());
    assertEquals(7, answer.at("/choices/0/logprobs/tokens").size());
    List<JsonNode> chunks =
        streamed("/v1/completions", fields + ", \"echo\": true, \"logprobs\": 0");
    int offset = 0;
    StringBuilder text = new StringBuilder();
    for (JsonNode chunk : chunks) {
      if (chunk.at("/choices/0/index").intValue() == 0) {
        JsonNode tokens = chunk.at("/choices/0/logprobs/text_offset");
        offset = tokens.isEmpty() ? offset : tokens.get(tokens.size() - 1).intValue();
        assertTrue(tokens.isEmpty() || tokens.get(0).intValue() >= text.length());
        text.append(chunk.at("/choices/0/text").textValue());
      }
    }
    assertEquals("云港的河" + expected, text.toString());
    assertTrue(offset > 4 && offset < text.length());
    int[] ids = server.model().tokenizer().encode("<s>云港的河");
    JsonNode byIds =
        server.ask(
            "/v1/completions",
            "{\"prompt\": "
                + JSON.writeValueAsString(ids)
                + ", \"max_tokens\": 7, \"temperature\": 0}");
    assertEquals(expected, byIds.at("/choices/0/text").textValue());
  }

  @Test
  void textsBecomeVectors() throws IOException {
    float[] expected = server.model().embed("云港的河");
    JsonNode answer =
        server.ask(
            "/v1/embeddings", "{\"input\": [\"云港的河\", \"b\"], \"model\": \"minimind-demo\"}");
    assertEquals(2, answer.path("data").size());
    assertEquals(1, answer.at("/data/1/index").intValue());
    JsonNode vector = answer.at("/data/0/embedding");
    assertEquals(expected.length, vector.size());
    assertEquals(expected[3], vector.path(3).floatValue(), 1e-6);
    assertTrue(answer.at("/usage/prompt_tokens").intValue() > 1);
    JsonNode packed =
        server.ask("/v1/embeddings", "{\"input\": \"云港的河\", \"encoding_format\": \"base64\"}");
    byte[] bytes = Base64.getDecoder().decode(packed.at("/data/0/embedding").textValue());
    float value = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getFloat(3 * Float.BYTES);
    assertEquals(expected[3], value);
  }

  @Test
  void theModelsAreListed() throws IOException {
    JsonNode list = JSON.readTree(server.get("/v1/models").body());
    assertEquals("minimind-demo", list.at("/data/0/id").textValue());
    JsonNode one = JSON.readTree(server.get("/v1/models/minimind-demo").body());
    assertEquals(list.at("/data/0"), one);
    assertEquals(404, server.get("/v1/models/other").statusCode());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{                                               | 400 | not valid JSON",
        "[]                                              | 400 | must be a JSON object",
        "{}                                              | 400 | messages",
        "{\"messages\": []}                              | 400 | at least one message",
        "{\"messages\": {}}                              | 400 | messages must be a list",
        "{\"messages\": [1]}                             | 400 | messages[0] must be an object",
        "{\"messages\": [{}]}                            | 400 | messages[0].role is missing",
        "{\"messages\": [{\"role\": \"x\"}]}             | 400 | but is \"x\"",
        "{\"messages\": [{\"role\": 1}]}                 | 400 | messages[0].role must be a string",
        "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]} | 400 |"
            + " text only",
        "{WHO, \"temperature\": \"hot\"}                 | 400 | temperature must be a number"
            + " between 0 and 2",
        "{WHO, \"temperature\": 3}                       | 400 | temperature must be",
        "{WHO, \"n\": 1.5}                               | 400 | n must be a whole number",
        "{WHO, \"max_tokens\": 0}                        | 400 | max_tokens must be",
        "{WHO, \"stream\": \"yes\"}                      | 400 | stream must be true or false",
        "{WHO, \"stop\": 7}                              | 400 | stop must be",
        "{WHO, \"logit_bias\": {\"a\": 1}}               | 400 | token ids",
        "{WHO, \"logit_bias\": {\"99999\": 1}}           | 400 | token ids, 0 to 2047",
        "{WHO, \"tools\": [{\"type\": \"function\"}]}    | 400 | tools[0].function is missing",
        "{WHO, \"tool_choice\": \"required\"}            | 400 | no tools",
        "{WHO, \"stream_options\": 7}                    | 400 | stream_options must be",
        "{WHO, \"top_logprobs\": \"x\"}                  | 400 | top_logprobs must be",
        "{\"messages\": [{\"role\": \"user\"}]}           | 400 | messages[0].content is missing",
        "{WHO, \"response_format\": {\"type\": \"xml\"}} | 400 | response_format.type",
        "{\"model\": \"gpt-x\", \"messages\": []}        | 404 | no model named \"gpt-x\"",
      })
  void whatIsWrongIsNamed(String body, int status, String part) throws IOException {
    HttpResponse<String> response = server.post(CHAT, body.replace("WHO", WHO));
    assertEquals(status, response.statusCode(), response.body());
    JsonNode error = JSON.readTree(response.body()).path("error");
    assertTrue(error.path("message").textValue().contains(part), error.toString());
    assertTrue(error.path("type").isTextual());
    assertTrue(error.has("param") && error.has("code"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{WHO, \"logit_bias\": {\"99999\": 1}} | logit_bias.99999",
        "{WHO TOOLS, \"tool_choice\": {\"function\": {\"name\": \"gone\"}}} | tool_choice",
        "{WHO, \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"schema\":"
            + " {\"unevaluatedItems\": false}}}} | response_format.json_schema.schema",
      })
  void theFieldThatIsWrongIsTheParameter(String body, String field) throws IOException {
    HttpResponse<String> response =
        server.post(CHAT, body.replace("WHO", WHO).replace(" TOOLS", TOOLS));
    assertEquals(400, response.statusCode(), response.body());
    assertEquals(field, JSON.readTree(response.body()).at("/error/param").textValue());
    HttpResponse<String> ids = server.post("/v1/completions", "{\"prompt\": [1, 99999]}");
    assertTrue(ids.body().contains("holds 99999"), ids.body());
  }

  @Test
  void anUnknownFieldIsNoMatterAndALongConversationIsRefused() throws IOException {
    assertEquals(
        alone.text(),
        chat(GREEDY + ", \"store\": true, \"user\": \"x\", \"parallel_tool_calls\": false")
            .at("/choices/0/message/content")
            .textValue());
    HttpResponse<String> response =
        server.post(CHAT, "{" + WHO.replace("你是谁？", "长".repeat(500)) + "}");
    assertEquals(400, response.statusCode());
    assertEquals(
        "context_length_exceeded", JSON.readTree(response.body()).at("/error/code").textValue());
    assertFalse(response.body().contains("Exception"));
  }
}
