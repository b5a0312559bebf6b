package io.minimind.examples;

import io.minimind.files.InputException;
import io.minimind.files.Quoted;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.tokenizer.TokenRoles;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lets a pretrained model continue texts, as the original's evaluation does. */
@Command(
    name = "pretrain",
    description = "Lets a pretrained model continue 14 prompts, or those of a file.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class EvaluatePretrained implements Callable<Integer> {

  private static final List<String> PROMPTS =
      List.of(
          "椭圆和圆的区别",
          "中国关于马克思主义基本原理",
          "人类大脑的主要功能是",
          "万有引力是",
          "世界上人口最多的国家是",
          "DNA的全称是",
          "数学中π的值大约是",
          "世界上最高的山峰是",
          "太阳系中最大的行星是",
          "二氧化碳的化学分子式是",
          "地球上最大的动物是",
          "地球自转一圈大约需要",
          "杭州市的美食有",
          "江苏省的最好的大学");

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Folder of the model, such as the --out of a training run.")
  private Path model = Path.of("out", "pretrain");

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "Texts to continue, one in a line, instead of the 14.")
  private Path prompts;

  @Option(names = "--temperature", paramLabel = "T", description = "0 takes the likeliest token.")
  private double temperature = 0.7;

  @Option(names = "--top-k", paramLabel = "K", description = "Likeliest tokens to draw from.")
  private int topK = 8;

  @Option(names = "--max-new-tokens", paramLabel = "N", description = "Longest continuation.")
  private int maxNewTokens = 512;

  @Option(names = "--seed", paramLabel = "N", description = "Of the draws.")
  private long seed = 1337;

  public static void main(String[] args) {
    MiniMind.run(new EvaluatePretrained(), args);
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options =
        GenerationOptions.defaults()
            .withTemperature(temperature)
            .withTopK(topK)
            .withMaxNewTokens(maxNewTokens)
            .withSeed(seed);
    List<String> texts = prompts == null ? PROMPTS : Prompts.read(prompts);
    try (LanguageModel language = LanguageModel.load(model)) {
      requireRoom(language, texts);
      System.out.println(Evaluate.parameters(model));
      for (String prompt : texts) {
        long start = System.nanoTime();
        System.out.print("问题： " + prompt + "\n回答： ");
        language.generate(
            prompt,
            options,
            piece -> {
              System.out.print(piece);
              System.out.flush();
            });
        System.out.printf(Locale.ROOT, "%n%n%s s%n", (System.nanoTime() - start) / 1e9);
      }
    } catch (IllegalStateException e) {
      throw Evaluate.unusable(model, e);
    }
    return 0;
  }

  /** Said before the first text is continued. */
  private void requireRoom(LanguageModel language, List<String> texts) throws IOException {
    Tokenizer tokenizer = language.tokenizer();
    int begin = TokenRoles.load(model, tokenizer).begin().isPresent() ? 1 : 0;
    for (int i = 0; i < texts.size(); i++) {
      int length = begin + tokenizer.encode(texts.get(i)).length;
      if (length >= language.contextLength()) {
        throw new InputException(
            "Prompt %d of %s, %s, has %d tokens, which leaves no room in the context of the model in %s, %d tokens: shorten it."
                .formatted(
                    i + 1,
                    prompts == null ? "the " + texts.size() : prompts,
                    Quoted.text(texts.get(i)),
                    length,
                    model,
                    language.contextLength()));
      }
    }
  }
}
