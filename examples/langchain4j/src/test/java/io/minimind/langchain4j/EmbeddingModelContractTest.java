package io.minimind.langchain4j;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import io.minimind.infer.LanguageModel;
import java.util.List;

/** langchain4j's own contract of embedding models. */
class EmbeddingModelContractTest extends AbstractEmbeddingModelIT {

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(MiniMindEmbeddingModel.builder(TaughtModel.get()).build());
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return MiniMindEmbeddingModel.builder(TaughtModel.get()).listeners(List.of(listener)).build();
  }

  @Override
  protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
    LanguageModel model = TaughtModel.open();
    EmbeddingModel failing =
        MiniMindEmbeddingModel.builder(model).listeners(List.of(listener)).build();
    model.close();
    return failing;
  }

  @Override
  protected boolean supportsInputTypeParameter() {
    return false;
  }

  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  @Override
  protected boolean supportsImageInput() {
    return false;
  }
}
