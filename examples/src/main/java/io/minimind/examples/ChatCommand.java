package io.minimind.examples;

import io.minimind.examples.chat.Conversation;
import io.minimind.examples.chat.Screen;
import io.minimind.examples.chat.Talk;
import io.minimind.files.InputException;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** Talks with a model. */
@Command(
    name = "chat",
    description = {
      "Talks with a model. In a terminal, /help shows what else can be typed.",
      "Through a pipe, each line of the input is a message, and the output is what the model says."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class ChatCommand implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "DIR",
      defaultValue = "${sys:minimind.home:-.}/models/minimind-demo",
      description =
          "Folder of the model, such as the --out of a training run, or the name of one on the"
              + " class path.")
  private String model;

  @Option(names = "--system", paramLabel = "TEXT", description = "Stands before the conversation.")
  private String system;

  @Option(
      names = "--think",
      arity = "1",
      paramLabel = "BOOL",
      description = "Whether the model thinks before it answers, if it knows both.")
  private Boolean think;

  @Option(
      names = "--turns",
      paramLabel = "N",
      description =
          "Earlier questions and answers that the model sees; as many as there is room for unless"
              + " given.",
      showDefaultValue = Visibility.NEVER)
  private int turns = Integer.MAX_VALUE;

  @Option(names = "--temperature", paramLabel = "T", description = "0 takes the likeliest token.")
  private double temperature = 0.7;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Likeliest tokens to draw from; 0 is all.")
  private int topK = 16;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "Longest answer; the model's context may end it earlier.")
  private int maxNewTokens = 1024;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of the draws; another one each time unless given.")
  private Long seed;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute; one for each processor, up to 8, unless given.")
  private Integer threads;

  @Option(
      names = "--no-spinning",
      description = {
        "Lets threads that wait for work sleep. They keep processors busy otherwise, which is"
            + " faster unless other processes want these."
      })
  private boolean noSpinning;

  @Option(
      names = "--history-file",
      paramLabel = "FILE",
      defaultValue = "${sys:user.home}/.minimind_history",
      description = "Keeps what was typed in a terminal for the next time.")
  private Path history;

  public static void main(String[] args) {
    MiniMind.run(new ChatCommand(), args);
  }

  @Override
  public Integer call() throws IOException {
    Numbers.atLeast(0, "--turns", turns);
    ChatOptions options = ChatOptions.defaults().withGeneration(generation());
    LoadOptions defaults = LoadOptions.defaults().withSpinning(!noSpinning);
    LoadOptions loading = threads == null ? defaults : defaults.withThreads(threads);
    try (LanguageModel language = GivenModel.load(model, loading)) {
      if (!language.canChat()) {
        throw new InputException(
            model
                + " has no chat template: expected a file chat_template.jinja, or chat_template in"
                + " a file tokenizer_config.json.");
      }
      try (Conversation conversation = new Conversation(language, options, turns);
          Screen screen = Screen.open(history)) {
        conversation.systemPrompt(Optional.ofNullable(system));
        if (think != null) {
          conversation.thinking(think);
        }
        if (screen.interactive()) {
          screen.say(
              "%s, with a context of %d tokens. /help shows what else can be typed; Ctrl-D ends."
                  .formatted(GivenModel.name(model), language.contextLength()));
        }
        return Talk.run(conversation, screen) ? 0 : 1;
      }
    } catch (IllegalStateException e) {
      throw Evaluate.unusable(Path.of(model), e);
    }
  }

  private GenerationOptions generation() {
    GenerationOptions options =
        GenerationOptions.defaults()
            .withTemperature(temperature)
            .withTopK(topK)
            .withMaxNewTokens(maxNewTokens);
    return seed == null ? options : options.withSeed(seed);
  }
}
