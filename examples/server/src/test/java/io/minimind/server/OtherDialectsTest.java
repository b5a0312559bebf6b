package io.minimind.server;

import static io.minimind.server.DemoServer.JSON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.chat.Message;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What clients of Ollama and of Anthropic ask. */
class OtherDialectsTest {
  private static final String GREEDY = ", \"options\": {\"temperature\": 0}}";
  private static final String WHO =
      "{\"model\": \"minimind-demo\", \"messages\": [{\"role\": \"user\", \"content\": \"你是谁？\"}]";

  private static DemoServer server;
  private static String expected;

  @BeforeAll
  static void start() throws IOException {
    server = DemoServer.start(builder -> builder);
    expected =
        server
            .model()
            .reply(
                List.of(Message.user("你是谁？")),
                ChatOptions.defaults().withGeneration(GenerationOptions.greedy()))
            .text();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static List<JsonNode> lines(String path, String body) throws IOException {
    HttpResponse<String> response = server.post(path, body);
    assertEquals(200, response.statusCode(), response.body());
    assertEquals(
        "application/x-ndjson", response.headers().firstValue("content-type").orElseThrow());
    List<JsonNode> lines = new ArrayList<>();
    for (String line : response.body().split("\n")) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  @Test
  void ollamaChats() throws IOException {
    List<JsonNode> lines = lines("/api/chat", WHO + GREEDY);
    StringBuilder text = new StringBuilder();
    lines.forEach(line -> text.append(line.at("/message/content").textValue()));
    assertEquals(expected, text.toString());
    JsonNode last = lines.get(lines.size() - 1);
    assertTrue(last.path("done").booleanValue());
    assertEquals("stop", last.path("done_reason").textValue());
    assertTrue(last.path("eval_count").intValue() > 1);
    assertTrue(lines.size() > 3);
    JsonNode whole =
        server.ask(
            "/api/chat",
            WHO + ", \"stream\": false" + GREEDY.replace("0}", "0, \"num_predict\": 2}"));
    assertEquals(2, whole.path("eval_count").intValue());
    assertEquals("length", whole.path("done_reason").textValue());
    JsonNode named =
        server.ask(
            "/api/chat", WHO.replace("demo\"", "demo:latest\"") + ", \"stream\": false" + GREEDY);
    assertEquals(expected, named.at("/message/content").textValue());
  }

  @Test
  void ollamaGenerates() throws IOException {
    String prompt = "{\"model\": \"minimind-demo\", \"stream\": false, \"prompt\": \"你是谁？\"";
    assertEquals(expected, server.ask("/api/generate", prompt + GREEDY).path("response").asText());
    JsonNode raw =
        server.ask(
            "/api/generate",
            prompt + ", \"raw\": true, \"options\": {\"temperature\": 0, \"num_predict\": 5}}");
    assertEquals(
        server.model().generate("你是谁？", GenerationOptions.greedy().withMaxNewTokens(5)).text(),
        raw.path("response").textValue());
    JsonNode json =
        server.ask(
            "/api/generate",
            prompt
                + ", \"format\": {\"type\": \"object\", \"properties\": {\"n\": {\"type\":"
                + " \"integer\", \"maximum\": 9, \"minimum\": 0}}, \"required\": [\"n\"]}}");
    assertTrue(JSON.readTree(json.path("response").textValue()).path("n").isInt());
  }

  @Test
  void ollamaListsAndEmbeds() throws IOException {
    JsonNode tags = JSON.readTree(server.get("/api/tags").body());
    assertEquals("minimind-demo", tags.at("/models/0/name").textValue());
    assertTrue(JSON.readTree(server.get("/api/version").body()).path("version").isTextual());
    JsonNode show = server.ask("/api/show", "{\"model\": \"minimind-demo\"}");
    assertEquals(256, show.path("model_info").path("minimind.context_length").intValue());
    JsonNode vectors = server.ask("/api/embed", "{\"input\": [\"云港\"]}");
    assertEquals(server.model().embed("云港").length, vectors.at("/embeddings/0").size());
    String load = "{\"model\": \"minimind-demo\"}";
    assertEquals("load", server.ask("/api/generate", load).path("done_reason").asText());
    assertTrue(server.ask("/api/chat", load).path("done").asBoolean());
    assertEquals(
        "minimind-demo", JSON.readTree(server.get("/api/ps").body()).at("/models/0/name").asText());
    HttpResponse<String> unknown = server.post("/api/chat", "{\"model\": \"x\"}");
    assertEquals(404, unknown.statusCode());
    assertTrue(JSON.readTree(unknown.body()).path("error").isTextual());
  }

  @Test
  void anthropicAnswers() throws IOException {
    String asked = WHO + ", \"max_tokens\": 100, \"temperature\": 0";
    JsonNode message = server.ask("/v1/messages", asked + "}");
    assertEquals(expected, message.at("/content/0/text").textValue());
    assertEquals("end_turn", message.path("stop_reason").textValue());
    assertTrue(message.at("/usage/output_tokens").intValue() > 1);

    StringBuilder text = new StringBuilder();
    List<String> types = new ArrayList<>();
    for (String event : server.events("/v1/messages", asked + ", \"stream\": true}")) {
      JsonNode node = JSON.readTree(event);
      types.add(node.path("type").textValue());
      text.append(node.at("/delta/text").asText(""));
    }
    assertEquals(expected, text.toString());
    assertEquals("message_start", types.get(0));
    assertEquals("content_block_start", types.get(1));
    assertEquals(
        List.of("content_block_stop", "message_delta", "message_stop"),
        types.subList(types.size() - 3, types.size()));
    assertEquals(1, types.stream().filter("content_block_start"::equals).count());
  }

  @Test
  void anthropicCallsToolsAndTakesTheirResults() throws IOException {
    String tools =
        ", \"max_tokens\": 100, \"tools\": [{\"name\": \"tide\", \"input_schema\": {\"type\":"
            + " \"object\", \"properties\": {\"day\": {\"enum\": [\"today\"]}}, \"required\":"
            + " [\"day\"]}}]";
    String forced = ", \"tool_choice\": {\"type\": \"any\"}";
    JsonNode message = server.ask("/v1/messages", WHO + tools + forced + "}");
    assertEquals("tool_use", message.path("stop_reason").textValue());
    JsonNode block = message.at("/content/0");
    assertEquals("today", block.at("/input/day").textValue());
    StringBuilder json = new StringBuilder();
    for (String event :
        server.events("/v1/messages", WHO + tools + forced + ", \"stream\": true}")) {
      json.append(JSON.readTree(event).at("/delta/partial_json").asText(""));
    }
    assertEquals("today", JSON.readTree(json.toString()).path("day").textValue());
    String back =
        WHO.substring(0, WHO.length() - 1)
            + ", {\"role\": \"assistant\", \"content\": ["
            + block
            + "]}, {\"role\": \"user\", \"content\": [{\"type\": \"tool_result\", \"tool_use_id\": "
            + block.path("id")
            + ", \"content\": \"09:40\"}]}], \"system\": \"Be brief.\"";
    assertEquals("message", server.ask("/v1/messages", back + tools + "}").path("type").asText());
    HttpResponse<String> missing = server.post("/v1/messages", WHO + "}");
    assertEquals(400, missing.statusCode());
    JsonNode error = JSON.readTree(missing.body());
    assertEquals("error", error.path("type").textValue());
    assertTrue(error.at("/error/message").textValue().contains("max_tokens is missing"));
  }
}
