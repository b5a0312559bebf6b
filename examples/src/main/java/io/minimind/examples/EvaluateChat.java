package io.minimind.examples;

import io.minimind.chat.Message;
import io.minimind.files.InputException;
import io.minimind.infer.Chat;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.ReplyPart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Asks a fine-tuned model questions, as the original's evaluation does. */
@Command(
    name = "chat",
    description = "Asks a model 24 questions, or those of a file.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class EvaluateChat implements Callable<Integer> {

  private static final List<String> QUESTIONS =
      List.of(
          "你叫什么名字",
          "你是谁",
          "中国有哪些比较好的大学？",
          "全世界最好的大学是什么？",
          "你知道光速是多少吗？",
          "你知道长江吗？",
          "人类的血液主要由哪些成分组成？",
          "第一颗人造卫星是哪个国家发射的？",
          "你知道杭州有什么美食吗？",
          "你知道泰山在哪里吗？",
          "地球上最大的动物是什么？",
          "地球自转一圈大约需要多少时间？",
          "人类最早使用的金属是什么？",
          "水的化学分子式是什么？",
          "大气层中含量最多的气体是什么？",
          "世界上最高的山峰是什么？",
          "你知道世界上最深的海沟是什么吗？",
          "最早发明印刷术的是哪个国家？",
          "万有引力是谁提出的？",
          "光合作用的主要原理是什么？",
          "你知道大熊猫的主要食物是什么吗？",
          "海水为什么是咸的？",
          "我们平时喝的牛奶主要含有什么营养成分？",
          "一星期有多少天？");

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Folder of the model, such as the --out of a training run.")
  private Path model = Path.of("out", "sft");

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "Questions, one in a line, instead of the 24.")
  private Path prompts;

  @Option(
      names = "--history",
      paramLabel = "TURNS",
      description = "Earlier questions and answers that the model still sees.")
  private int history;

  @Option(names = "--temperature", paramLabel = "T", description = "0 takes the likeliest token.")
  private double temperature = 0.7;

  @Option(names = "--top-k", paramLabel = "K", description = "Likeliest tokens to draw from.")
  private int topK = 16;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "Longest answer; the model's context may end it earlier.")
  private int maxNewTokens = 1024;

  @Option(names = "--seed", paramLabel = "N", description = "Of the draws.")
  private long seed = 1337;

  private boolean failed;

  public static void main(String[] args) {
    MiniMind.run(new EvaluateChat(), args);
  }

  @Override
  public Integer call() throws IOException {
    Numbers.atLeast(0, "--history", history);
    GenerationOptions options =
        GenerationOptions.defaults()
            .withTemperature(temperature)
            .withTopK(topK)
            .withMaxNewTokens(maxNewTokens)
            .withSeed(seed);
    List<String> questions = prompts == null ? QUESTIONS : Prompts.read(prompts);
    try (LanguageModel language = LanguageModel.load(model)) {
      if (!language.canChat()) {
        throw new InputException(
            model
                + " has no chat template: expected a file chat_template.jinja, or chat_template in"
                + " a file tokenizer_config.json.");
      }
      System.out.println(Evaluate.parameters(model));
      List<Message> turns = List.of();
      for (String question : questions) {
        System.out.println("[Q]: " + question);
        turns = ask(language, turns, question, options);
      }
      return failed ? 1 : 0;
    }
  }

  /** Prints the answer while it is written, and gives the turns that the next question follows. */
  private List<Message> ask(
      LanguageModel language, List<Message> turns, String question, GenerationOptions options)
      throws IOException {
    ChatOptions conversation =
        ChatOptions.defaults().withMessages(turns).withGeneration(options).withThinking(false);
    System.out.print("[A]: ");
    try (Chat chat = language.chat(conversation)) {
      chat.send(question, EvaluateChat::show);
      List<Message> said = chat.history();
      return said.subList(Math.max(0, said.size() - 2 * history), said.size());
    } catch (IllegalArgumentException e) { // such as a question that has no room
      failed = true;
      System.out.print("(" + e.getMessage() + ")");
      return turns;
    } catch (IllegalStateException e) {
      throw Evaluate.unusable(model, e);
    } finally {
      System.out.println("\n");
    }
  }

  private static void show(ReplyPart part) {
    if (part instanceof ReplyPart.Text said) {
      System.out.print(said.text());
      System.out.flush();
    }
  }
}
