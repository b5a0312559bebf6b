package io.minimind.springai;

import io.micrometer.observation.ObservationRegistry;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * Makes a chat model and an embedding model of the folder that the property {@code
 * spring.ai.minimind.model} names, if it is there. Where several kinds of models are on the class
 * path, {@code spring.ai.model.chat} and {@code spring.ai.model.embedding} choose with {@code
 * minimind}.
 */
@AutoConfiguration
@EnableConfigurationProperties(MiniMindProperties.class)
@ConditionalOnProperty("spring.ai.minimind.model")
public class MiniMindAutoConfiguration {
  /** What chooses these models among others. */
  private static final String MINIMIND = "minimind";

  /** The model, which is closed with the application. */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  LanguageModel miniMindLanguageModel(MiniMindProperties properties) throws IOException {
    LoadOptions options =
        LoadOptions.defaults()
            .withBatchSize(properties.parallel())
            .withKeptTexts(3 * properties.parallel());
    String place = properties.model();
    boolean packaged = place.matches("[\\w.-]+") && !Files.exists(Path.of(place));
    return packaged
        ? LanguageModel.fromClasspath(place, options)
        : LanguageModel.load(Path.of(place), options);
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnProperty(
      name = SpringAIModelProperties.CHAT_MODEL,
      havingValue = MINIMIND,
      matchIfMissing = true)
  MiniMindChatModel miniMindChatModel(
      LanguageModel model,
      MiniMindProperties properties,
      ObjectProvider<ObservationRegistry> observations) {
    ChatOptions options =
        ChatOptions.defaults()
            .withGeneration(
                GenerationOptions.defaults()
                    .withTemperature(properties.temperature())
                    .withMaxNewTokens(properties.maxTokens()));
    if (properties.think() != null) {
      options = options.withThinking(properties.think());
    }
    return MiniMindChatModel.builder(model)
        .modelName(name(properties))
        .options(options)
        .observationRegistry(observations.getIfUnique(() -> ObservationRegistry.NOOP))
        .build();
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnProperty(
      name = SpringAIModelProperties.EMBEDDING_MODEL,
      havingValue = MINIMIND,
      matchIfMissing = true)
  MiniMindEmbeddingModel miniMindEmbeddingModel(
      LanguageModel model, MiniMindProperties properties) {
    return new MiniMindEmbeddingModel(model, name(properties));
  }

  private static String name(MiniMindProperties properties) {
    return Path.of(properties.model()).toAbsolutePath().normalize().getFileName().toString();
  }
}
