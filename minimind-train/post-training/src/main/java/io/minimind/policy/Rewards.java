package io.minimind.policy;

import io.minimind.agent.ToolBox;
import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** The rewards that {@link Reward#named} tells. */
final class Rewards {

  private static final Pattern WEIGHT = Pattern.compile("(-?[0-9]*\\.?[0-9]+)\\*(.*)");

  private Rewards() {}

  static Reward named(String name) {
    return named(name, Runtime.getRuntime().availableProcessors());
  }

  private static Reward named(String name, int threads) {
    Matcher weighted = WEIGHT.matcher(name);
    if (weighted.matches()) {
      double weight = Double.parseDouble(weighted.group(1));
      return new Weighted(weight, named(weighted.group(2), threads));
    }
    String[] parts = name.split(":", 2);
    String given = parts.length > 1 ? parts[1] : "";
    if (!given.isEmpty() && !List.of("regex", "judge", "model").contains(parts[0])) {
      throw new ArgumentException(
          "The reward \"%s\" takes nothing after its name.".formatted(parts[0]));
    }
    return switch (parts[0]) {
      case "number" -> Verified::number;
      case "text" -> Verified::text;
      case "regex" -> given.isEmpty() ? Verified::pattern : matching(given);
      case "json-schema" -> Verified::schema;
      case "ended" -> answer -> answer.ended() ? 1 : 0;
      case "length" -> AnswerRules::length;
      case "thinking" -> answer -> AnswerRules.thinking(answer.text());
      case "repetition" -> answer -> 0 - Repetition.OF_WORDS_AND_CHARACTERS.of(answer.said());
      case "rules" -> new AnswerRules(Repetition.OF_WORDS_AND_CHARACTERS)::of;
      case "minimind-rules" -> new AnswerRules(Repetition.OF_WORDS)::of;
      case "agent" -> new AgentReward(ToolBox.mock())::of;
      case "solved" -> solved();
      case "judge" -> judge(given);
      case "model" -> new ModelReward(given, threads);
      default -> ofClass(name);
    };
  }

  /**
   * The sum of several rewards.
   *
   * @param threads of those that compute, at least 1
   */
  static Reward sum(List<String> names, int threads) {
    if (names.isEmpty()) {
      throw new ArgumentException("A model needs at least one reward to learn from.");
    }
    List<Reward> rewards = new ArrayList<>();
    names.forEach(name -> rewards.add(new Checked(name, named(name, threads))));
    return new Sum(rewards);
  }

  /**
   * The names by which a run keeps rewards: those of reward models say which they are.
   *
   * @param policy the folder of the model that learns
   * @throws IOException if a reward model is none, or has other tokens
   */
  static List<String> kept(List<String> names, Path policy) throws IOException {
    List<String> kept = new ArrayList<>();
    for (String name : names) {
      Matcher weighted = WEIGHT.matcher(name);
      boolean hasWeight = weighted.matches();
      String plain = hasWeight ? weighted.group(2) : name;
      String weight = hasWeight ? weighted.group(1) + "*" : "";
      kept.add(
          plain.startsWith("model:")
              ? weight + new ModelReward(plain.substring("model:".length()), 1).pinned(policy)
              : name);
    }
    return kept;
  }

  private static Reward matching(String pattern) {
    try {
      Pattern compiled = Pattern.compile(pattern, Pattern.DOTALL);
      return answer -> compiled.matcher(answer.said().strip()).matches() ? 1 : 0;
    } catch (PatternSyntaxException e) {
      throw new ArgumentException(
          "The reward's pattern \"%s\" is no regular expression: %s."
              .formatted(pattern, e.getDescription()),
          e);
    }
  }

  private static Reward solved() {
    AgentReward agent = new AgentReward(ToolBox.mock());
    return answer -> agent.isSolved(answer) ? 1 : 0;
  }

  private static Reward judge(String given) {
    String[] parts = given.strip().split("\\s+");
    try {
      if (parts.length == 2 && URI.create(parts[0]).getHost() != null) {
        return new Judge(URI.create(parts[0]), parts[1]);
      }
    } catch (IllegalArgumentException e) {
      // No address: said below.
    }
    throw new ArgumentException(
        "A judge is named by the address of its server and its model, such as \"judge:http://127.0.0.1:8998/v1 minimind\", not \"judge:%s\"."
            .formatted(given));
  }

  private static Reward ofClass(String name) {
    try {
      Class<?> found = Class.forName(name);
      if (Reward.class.isAssignableFrom(found)) {
        return (Reward) found.getConstructor().newInstance();
      }
    } catch (ClassNotFoundException e) {
      throw new ArgumentException(
          "There is no reward \"%s\": expected number, text, regex, json-schema, ended, length, thinking, repetition, rules, minimind-rules, agent, solved, model, judge, or the name of a class on the class path."
              .formatted(name),
          e);
    } catch (ReflectiveOperationException e) {
      throw new ArgumentException(
          "The reward %s must be a public class with a public constructor without parameters."
              .formatted(name),
          e);
    }
    throw new ArgumentException("The class %s is no Reward.".formatted(name));
  }

  private record Weighted(double weight, Reward reward) implements Reward {
    @Override
    public double of(Answer answer) throws IOException {
      return weight * reward.of(answer);
    }

    @Override
    public double[] of(List<Answer> answers) throws IOException {
      double[] worth = reward.of(answers).clone();
      for (int i = 0; i < worth.length; i++) {
        worth[i] *= weight;
      }
      return worth;
    }

    @Override
    public void close() {
      reward.close();
    }
  }

  private record Sum(List<Reward> rewards) implements Reward {
    @Override
    public double of(Answer answer) throws IOException {
      return of(List.of(answer))[0];
    }

    @Override
    public double[] of(List<Answer> answers) throws IOException {
      double[] worth = new double[answers.size()];
      for (Reward reward : rewards) {
        double[] more = reward.of(answers);
        for (int i = 0; i < worth.length; i++) {
          worth[i] += more[i];
        }
      }
      return worth;
    }

    @Override
    public void close() {
      rewards.forEach(Reward::close);
    }
  }
}
