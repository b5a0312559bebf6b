package io.minimind.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.CustomMessage;
import dev.langchain4j.data.message.PdfFileContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.embedding.EmbeddingModel;
import io.minimind.chat.Message;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the contract does not ask. */
class AnswersTest {
  private static final String CAPITAL = "What is the capital of Germany?";

  private static ChatModel model(ChatOptions options) {
    return MiniMindChatModel.builder(TaughtModel.get()).options(options).build();
  }

  @Test
  void optionsOfTheSdkHoldWhereARequestDoesNotSay() {
    ChatOptions random =
        ChatOptions.defaults()
            .withGeneration(GenerationOptions.defaults().withTemperature(5).withSeed(7));
    String drawn = model(random).chat("x");
    assertEquals(drawn, model(random).chat("x"), "the seed holds");
    ChatRequest cold =
        ChatRequest.builder().messages(UserMessage.from(CAPITAL)).temperature(0.0).build();
    assertEquals("The capital of Germany is Berlin.", model(random).chat(cold).aiMessage().text());
  }

  @Test
  void requestsThatDoNotFitAreRefused() {
    ChatModel model = model(ChatModelContractTest.GREEDY);
    assertThrows(InvalidRequestException.class, () -> model.chat("long ".repeat(500)));
    ChatRequest toolless =
        ChatRequest.builder()
            .messages(UserMessage.from("x"))
            .toolChoice(ToolChoice.REQUIRED)
            .build();
    assertThrows(InvalidRequestException.class, () -> model.chat(toolless));
    ChatRequest hot =
        ChatRequest.builder().messages(UserMessage.from("x")).temperature(-1.0).build();
    assertThrows(InvalidRequestException.class, () -> model.chat(hot));
    UserMessage file = UserMessage.from(PdfFileContent.from(URI.create("file:///a.pdf")));
    assertThrows(UnsupportedFeatureException.class, () -> model.chat(file));
    assertThrows(
        UnsupportedFeatureException.class, () -> model.chat(CustomMessage.from(Map.of("a", 1))));
    EmbeddingModel embeddings = MiniMindEmbeddingModel.builder(TaughtModel.get()).build();
    assertThrows(InvalidRequestException.class, () -> embeddings.embed("long ".repeat(500)));
  }

  @Test
  void messagesKeepWhatTemplatesRead() {
    List<Message> messages =
        Requests.messages(
            List.of(
                UserMessage.from(TextContent.from("a"), TextContent.from("b")),
                AiMessage.builder().text("c").thinking("hm").build()));
    assertEquals(
        List.of(Message.user("a\nb"), Message.assistant("c").withReasoning("hm")), messages);
  }

  @Test
  void usageAndFinishReasonAreThoseOfTheAnswer() {
    ChatResponse response = model(ChatModelContractTest.GREEDY).chat(UserMessage.from(CAPITAL));
    int tokens = TaughtModel.get().tokenizer().encode(response.aiMessage().text()).length;
    assertEquals(tokens, response.tokenUsage().outputTokenCount());
    assertTrue(response.tokenUsage().inputTokenCount() > 5);
  }
}
