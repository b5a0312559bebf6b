package io.minimind.springai;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;

class MiniMindEmbeddingModelTest {

  @Test
  void textsAreVectorsInTheirOrder() throws IOException {
    try (LanguageModel language = LanguageModel.load(Demo.FOLDER)) {
      EmbeddingModel model = new MiniMindEmbeddingModel(language, "demo");
      assertEquals(language.embeddingDimension(), model.dimensions());
      EmbeddingResponse response = model.embedForResponse(List.of("云港", Demo.QUESTION));
      assertArrayEquals(language.embed("云港"), response.getResults().get(0).getOutput());
      assertArrayEquals(language.embed(Demo.QUESTION), response.getResults().get(1).getOutput());
      assertEquals(1, response.getResults().get(1).getIndex());
      assertEquals("demo", response.getMetadata().getModel());
      int tokens =
          language.tokenizer().encode("云港").length
              + language.tokenizer().encode(Demo.QUESTION).length;
      assertEquals(tokens, response.getMetadata().getUsage().getTotalTokens());
      assertArrayEquals(language.embed("云港"), model.embed(new Document("云港")));

      EmbeddingRequest shorter =
          new EmbeddingRequest(List.of("x"), EmbeddingOptions.builder().dimensions(7).build());
      assertThrows(IllegalArgumentException.class, () -> model.call(shorter));
      EmbeddingRequest other =
          new EmbeddingRequest(List.of("x"), EmbeddingOptions.builder().model("other").build());
      assertThrows(IllegalArgumentException.class, () -> model.call(other));
      assertThrows(IllegalArgumentException.class, () -> model.embed("long ".repeat(500)));
    }
  }
}
