package io.minimind.springai.example;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/**
 * An application of Spring Boot: it asks a model of a harbour town whole, for JSON and in pieces.
 * {@code --spring.ai.minimind.model=DIR} says where the model is, and nothing else need be said.
 */
@SpringBootApplication
public class HarbourApplication {
  private static final String WHO = "白婶是谁？";
  private static final String BAKER =
      """
      {"type": "object", "properties": {"baker": {"type": "boolean"}}, "required": ["baker"]}
      """;

  public static void main(String[] args) {
    SpringApplication.run(HarbourApplication.class, args).close();
  }

  @Bean
  CommandLineRunner ask(ChatModel model, EmbeddingModel embeddings) {
    return args -> {
      PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
      out.println("whole: " + model.call(WHO));
      Prompt json =
          new Prompt(WHO, StructuredOutputChatOptions.builder().outputSchema(BAKER).build());
      out.println("json: " + model.call(json).getResult().getOutput().getText());
      out.print("pieces: ");
      model.stream(WHO).doOnNext(piece -> out.print(piece + "|")).blockLast();
      out.println();
      out.println("numbers: " + embeddings.embed(WHO).length);
    };
  }
}
