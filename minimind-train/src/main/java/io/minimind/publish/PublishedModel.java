package io.minimind.publish;

import io.minimind.artifact.ModelFolder;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.files.AtomicFile;
import io.minimind.files.Checksums;
import io.minimind.files.InputException;
import io.minimind.files.NewFolder;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.template.TemplateException;
import io.minimind.train.TrainedModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A model as it is published.
 *
 * @param trained what training left; tokenizer and chat template are taken from its folder
 * @param precision how the published files keep matrices
 * @param sdk the version of minimind-infer that reads the model
 * @param test what the published model is put to
 */
public record PublishedModel(
    Publication publication, TrainedModel trained, Precision precision, String sdk, Test test) {

  /** Tests a model. */
  @FunctionalInterface
  public interface Test {
    /** What it reached in which test, in the order in which it is told. */
    Map<String, String> scores(LanguageModel model);
  }

  private static final String CARD = "README.md";

  /** What a program needs, in the order in which it is listed; what a model lacks is left out. */
  private static final List<String> MODEL_FILES =
      List.of(
          ModelFolder.DECODER,
          ModelFolder.WEIGHTS,
          ModelFolder.CONFIG,
          ModelFolder.GENERATION_CONFIG,
          "tokenizer.json",
          "tokenizer.model",
          ModelFolder.TOKENIZER_CONFIG,
          ModelFolder.CHAT_TEMPLATE);

  /**
   * Writes the folder beside its place, lets the model in it speak, and renames it.
   *
   * @param to must not exist, or be empty
   * @throws IOException if there is something already, the model cannot speak, or a file cannot be
   *     written; nothing is left then
   */
  public void writeTo(Path to) throws IOException {
    try (NewFolder folder = NewFolder.at(to)) {
      write(folder.path());
      folder.finish();
    }
  }

  private void write(Path folder) throws IOException {
    ModelConfig config = trained.config();
    ModelFolder.writeConfiguration(folder, config, precision, trained.folder());
    ModelFolder.writeDecoder(folder, config, precision, trained.weights());
    List<String> files = new ArrayList<>(MODEL_FILES);
    files.removeIf(file -> !Files.exists(folder.resolve(file)));
    Map<String, String> scores = scores(folder);
    Checksums.write(folder, files);
    // A run keeps the template from its first stage on, so only its history tells.
    boolean chats =
        ChatTemplate.find(folder).isPresent()
            && !trained.history().stages().isEmpty()
            && !trained.history().endsWithPretraining();
    write(folder.resolve(CARD), new ModelCard(this, chats, scores).text(folder, files));
    List<String> packaged = new ArrayList<>(List.of(CARD, Checksums.INDEX));
    packaged.addAll(files);
    write(folder.resolve(ModelProject.FILE), ModelProject.pom(publication, packaged));
  }

  /** Lets the model say something, and tests it. */
  private Map<String, String> scores(Path folder) throws IOException {
    try (LanguageModel model = LanguageModel.load(folder)) {
      model.generate("?", GenerationOptions.greedy().withMaxNewTokens(2));
      ChatTemplate.find(folder).ifPresent(template -> template.render(List.of(Message.user("?"))));
      return test.scores(model);
    } catch (IllegalStateException | TemplateException e) {
      throw new InputException(
          "The model in " + trained.folder() + " does not speak: " + e.getMessage(), e);
    }
  }

  private static void write(Path file, String text) throws IOException {
    AtomicFile.replace(file, text.getBytes(StandardCharsets.UTF_8));
  }
}
