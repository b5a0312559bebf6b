package io.minimind.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.output.TokenUsage;
import io.minimind.infer.LanguageModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A model of this project as an {@link EmbeddingModel}: texts as vectors of the length 1, the mean
 * of the model's last hidden states. It has to have been exported with its hidden states, as the
 * commands do. Several threads may use it at the same time.
 */
public final class MiniMindEmbeddingModel implements EmbeddingModel {
  private final LanguageModel model;
  private final String modelName;
  private final List<EmbeddingModelListener> listeners;
  private final int dimension;

  private MiniMindEmbeddingModel(Builder builder) {
    model = builder.model;
    modelName = builder.modelName;
    listeners = builder.listeners;
    dimension = model.embeddingDimension();
  }

  /**
   * @param model stays its owner's
   */
  public static Builder builder(LanguageModel model) {
    return new Builder(model);
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    List<Embedding> embeddings = new ArrayList<>();
    int tokens = 0;
    try {
      for (EmbeddingInput input : request.inputs()) {
        embeddings.add(Embedding.from(model.embed(input.text())));
        tokens += model.tokenizer().encode(input.text()).length;
      }
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    } catch (IllegalStateException e) {
      throw new NonRetriableException(e.getMessage(), e);
    }
    return EmbeddingResponse.builder()
        .embeddings(embeddings)
        .modelName(modelName)
        .tokenUsage(new TokenUsage(tokens))
        .build();
  }

  @Override
  public int dimension() {
    return dimension;
  }

  @Override
  public String modelName() {
    return modelName;
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  /** What an embedding model is to be. */
  public static final class Builder {
    private final LanguageModel model;
    private String modelName = "minimind";
    private List<EmbeddingModelListener> listeners = List.of();

    private Builder(LanguageModel model) {
      this.model = Objects.requireNonNull(model, "model");
    }

    /** What the model is called in answers (default: {@code minimind}). */
    public Builder modelName(String value) {
      modelName = Objects.requireNonNull(value, "modelName");
      return this;
    }

    /** Who is told of requests and answers (default: nobody). */
    public Builder listeners(List<EmbeddingModelListener> value) {
      listeners = List.copyOf(value);
      return this;
    }

    /**
     * @throws IllegalStateException if the model was exported without hidden states
     */
    public MiniMindEmbeddingModel build() {
      return new MiniMindEmbeddingModel(this);
    }
  }
}
