package io.minimind.springai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What an application gets that says where its model is. */
class MiniMindAutoConfigurationTest {
  private static final String MODEL = "spring.ai.minimind.model=" + Demo.FOLDER;

  /** An application that says nothing. */
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  /** An application that has a model of its own. */
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class OwnModel {
    @Bean(destroyMethod = "close")
    LanguageModel own() throws IOException {
      return LanguageModel.load(Demo.FOLDER);
    }
  }

  private static ConfigurableApplicationContext run(Class<?> application, String... properties) {
    return new SpringApplicationBuilder(application)
        .web(WebApplicationType.NONE)
        .bannerMode(Banner.Mode.OFF)
        .logStartupInfo(false)
        .properties(properties)
        .run();
  }

  @Test
  void oneOrTwoPropertiesAreEnough() {
    LanguageModel language;
    try (var context = run(Application.class, MODEL, "spring.ai.minimind.temperature=0")) {
      assertEquals(Demo.ANSWER, context.getBean(ChatModel.class).call(Demo.QUESTION));
      assertEquals("minimind-demo", context.getBean(ChatModel.class).getOptions().getModel());
      language = context.getBean(LanguageModel.class);
      assertEquals(
          language.embeddingDimension(), context.getBean(EmbeddingModel.class).dimensions());
    }
    assertThrows(IllegalStateException.class, () -> language.generate("x"), "it is closed");
  }

  @Test
  void nothingIsMadeThatWasNotAskedFor() {
    try (var context = run(Application.class)) {
      assertEquals(List.of(), List.of(context.getBeanNamesForType(LanguageModel.class)));
      assertEquals(List.of(), List.of(context.getBeanNamesForType(ChatModel.class)));
    }
    try (var context =
        run(
            Application.class,
            MODEL,
            "spring.ai.model.chat=openai",
            "spring.ai.model.embedding=none")) {
      assertEquals(List.of(), List.of(context.getBeanNamesForType(ChatModel.class)));
      assertEquals(List.of(), List.of(context.getBeanNamesForType(EmbeddingModel.class)));
    }
    try (var context = run(OwnModel.class, MODEL)) {
      assertSame(context.getBean("own"), context.getBean(LanguageModel.class));
    }
  }

  @Test
  void aMissingModelIsASentence() {
    Exception failed =
        assertThrows(
            Exception.class, () -> run(Application.class, "spring.ai.minimind.model=/no/where"));
    Throwable cause = failed;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    assertTrue(
        cause.getMessage().contains("There is no model folder at /no/where"), cause::toString);
  }
}
