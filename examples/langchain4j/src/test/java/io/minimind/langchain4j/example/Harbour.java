package io.minimind.langchain4j.example;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.CosineSimilarity;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.langchain4j.MiniMindChatModel;
import io.minimind.langchain4j.MiniMindEmbeddingModel;
import io.minimind.langchain4j.MiniMindStreamingChatModel;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** An application: it asks a model of a harbour town whole, in pieces, for a tool and for JSON. */
public final class Harbour {
  private static final ChatOptions GREEDY =
      ChatOptions.defaults().withGeneration(GenerationOptions.greedy());

  /**
   * @param args the folder of a model that can chat
   */
  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    try (LanguageModel language = LanguageModel.load(Path.of(args[0]))) {
      ChatModel model = MiniMindChatModel.builder(language).options(GREEDY).build();
      out.println("whole: " + model.chat("白婶是谁？"));
      out.println("tool: " + tide(model));
      out.println("json: " + person(model));
      out.print("pieces: ");
      stream(MiniMindStreamingChatModel.builder(language).options(GREEDY).build(), out);
      EmbeddingModel embeddings = MiniMindEmbeddingModel.builder(language).build();
      Embedding shop = embeddings.embed("白婶的店几点开门？").content();
      Embedding again = embeddings.embed("白婶的店几点开门").content();
      out.printf("alike: %.2f%n", CosineSimilarity.between(shop, again));
    }
  }

  /** A call that the model must make, whatever it was trained for. */
  private static String tide(ChatModel model) {
    ToolSpecification tide =
        ToolSpecification.builder()
            .name("tide")
            .description("Tells when the tide is high")
            .parameters(
                JsonObjectSchema.builder()
                    .addEnumProperty("day", List.of("today", "tomorrow"))
                    .required("day")
                    .build())
            .build();
    ChatRequest request =
        ChatRequest.builder()
            .messages(UserMessage.from("明天什么时候涨潮？"))
            .toolSpecifications(tide)
            .toolChoice(ToolChoice.REQUIRED)
            .build();
    return model.chat(request).aiMessage().toolExecutionRequests().get(0).arguments();
  }

  /** JSON of a schema, which always parses. */
  private static String person(ChatModel model) {
    ResponseFormat format =
        ResponseFormat.builder()
            .type(ResponseFormatType.JSON)
            .jsonSchema(
                JsonSchema.builder()
                    .name("person")
                    .rootElement(
                        JsonObjectSchema.builder()
                            .addBooleanProperty("baker")
                            .required("baker")
                            .build())
                    .build())
            .build();
    ChatRequest request =
        ChatRequest.builder().messages(UserMessage.from("白婶是谁？")).responseFormat(format).build();
    return model.chat(request).aiMessage().text();
  }

  private static void stream(StreamingChatModel model, PrintStream out) {
    CompletableFuture<ChatResponse> done = new CompletableFuture<>();
    model.chat(
        "白婶是谁？",
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String piece) {
            out.print(piece + "|");
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            done.complete(response);
          }

          @Override
          public void onError(Throwable error) {
            done.completeExceptionally(error);
          }
        });
    out.println(" " + done.join().tokenUsage().outputTokenCount() + " tokens");
  }
}
