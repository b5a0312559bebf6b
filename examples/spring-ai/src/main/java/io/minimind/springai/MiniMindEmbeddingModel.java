package io.minimind.springai;

import io.minimind.infer.LanguageModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;

/**
 * A model of this project as an {@link EmbeddingModel}: texts as vectors of the length 1, the mean
 * of the model's last hidden states. It has to have been exported with its hidden states, as the
 * commands do. Several threads may use it at the same time.
 */
public final class MiniMindEmbeddingModel implements EmbeddingModel {
  private final LanguageModel model;
  private final String modelName;
  private final int dimensions;

  /**
   * @param model stays its owner's
   * @param modelName what it is called in answers
   * @throws IllegalStateException if the model was exported without hidden states
   */
  public MiniMindEmbeddingModel(LanguageModel model, String modelName) {
    this.model = Objects.requireNonNull(model, "model");
    this.modelName = Objects.requireNonNull(modelName, "modelName");
    dimensions = model.embeddingDimension();
  }

  /**
   * @throws IllegalArgumentException if a text is empty or longer than the model's context, or the
   *     options ask for another model or another number of dimensions
   */
  @Override
  public EmbeddingResponse call(EmbeddingRequest request) {
    check(request.getOptions());
    List<Embedding> embeddings = new ArrayList<>();
    int tokens = 0;
    for (String text : request.getInstructions()) {
      embeddings.add(new Embedding(model.embed(text), embeddings.size()));
      tokens += model.tokenizer().encode(text).length;
    }
    return new EmbeddingResponse(
        embeddings, new EmbeddingResponseMetadata(modelName, new DefaultUsage(tokens, 0)));
  }

  private void check(EmbeddingOptions options) {
    if (options == null) {
      return;
    }
    if (options.getDimensions() != null && options.getDimensions() != dimensions) {
      throw new IllegalArgumentException(
          "The request asks for %d dimensions, but the vectors of this model have %d."
              .formatted(options.getDimensions(), dimensions));
    }
    if (options.getModel() != null && !options.getModel().equals(modelName)) {
      throw new IllegalArgumentException(
          "The request is for the model \"%s\", but this model is \"%s\"."
              .formatted(options.getModel(), modelName));
    }
  }

  @Override
  public float[] embed(Document document) {
    return embed(getEmbeddingContent(document));
  }

  @Override
  public int dimensions() {
    return dimensions;
  }
}
