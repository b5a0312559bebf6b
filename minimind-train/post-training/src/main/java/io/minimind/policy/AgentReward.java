package io.minimind.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.agent.PythonJson;
import io.minimind.agent.PythonText;
import io.minimind.agent.ToolBox;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What MiniMind rewards an agent for: calls of the tools that it was offered, with the arguments
 * that they need, as many as there are facts to find; and those facts in what it says at last.
 * Without calls, the form of the answer.
 *
 * @param tools that know which arguments they need
 */
record AgentReward(ToolBox tools) {

  private static final double MOST = 3;

  /** Less than this, and calls or facts are missing; more, and only words are repeated. */
  private static final double SOLVED = 2.5;

  private static final int SHORTEST = 5;
  private static final int LONGEST = 800;
  private static final String CALL = "<tool_call>";
  private static final String END_OF_CALL = "</tool_call>";

  /** A number that touches no letter, digit or point. */
  private static final Pattern NUMBER_IN_TEXT =
      Pattern.compile("(?<![\\p{L}\\p{N}_.])[-+]?\\p{Nd}+(?:\\.\\p{Nd}+)?(?![\\p{L}\\p{N}_.])");

  private static final Pattern NUMBER = Pattern.compile("[-+]?\\p{Nd}+(?:\\.\\p{Nd}+)?");
  private static final double TOLERANCE = 1e-6;

  /**
   * What an agent did.
   *
   * @param turns what it wrote, one text after the other, at least one
   * @param offered names of the tools that it was offered
   * @param facts that are to be found, texts or numbers
   * @param unfinished whether it was still calling in its last turn
   */
  record Transcript(
      List<String> turns, Set<String> offered, List<JsonNode> facts, boolean unfinished) {}

  /** The reward of an answer, of which the row expects a fact or a list of them. */
  double of(Answer answer) {
    boolean unfinished = !answer.ended() && !ToolBox.calls(answer.text()).isEmpty();
    return of(new Transcript(answer.turns(), answer.tools(), facts(answer), unfinished));
  }

  private static List<JsonNode> facts(Answer answer) {
    List<JsonNode> facts = new ArrayList<>();
    if (answer.expected().isArray()) {
      answer.expected().forEach(facts::add);
    } else if (!answer.expected().isNull()) {
      facts.add(answer.expected());
    }
    return facts;
  }

  /** Whether the calls were right, and the facts are in what they gave and in the answer. */
  boolean isSolved(Answer answer) {
    String given =
        answer.turns().stream()
            .flatMap(turn -> ToolBox.calls(said(turn)).stream())
            .map(tools::answer)
            .collect(Collectors.joining("\n"));
    return of(answer) >= SOLVED
        && facts(answer).stream().allMatch(fact -> found(given, List.of(fact)) == 1);
  }

  /** The reward, in [-3, 3]. */
  double of(Transcript transcript) {
    List<String> answers = transcript.turns().stream().map(AgentReward::said).toList();
    double reward = 0;
    List<JsonNode> calls = new ArrayList<>();
    for (String answer : answers) {
      reward -= 0.5 * Math.abs(count(answer, CALL) - count(answer, END_OF_CALL));
      calls.addAll(ToolBox.calls(answer));
    }
    String last = answers.get(answers.size() - 1);
    reward +=
        calls.isEmpty()
            ? ofForm(transcript.turns().get(answers.size() - 1), last)
            : ofCalls(transcript, calls, last);
    return Math.max(-MOST, Math.min(MOST, reward));
  }

  private static double ofForm(String written, String said) {
    int length = PythonText.length(PythonText.strip(written));
    double ofLength = SHORTEST <= length && length <= LONGEST ? 0.5 : -0.5;
    return ofLength + AnswerRules.thinking(written) - Repetition.OF_WORDS.of(said);
  }

  private double ofCalls(Transcript transcript, List<JsonNode> calls, String last) {
    int facts = transcript.facts().size();
    int valid = (int) calls.stream().filter(call -> isValid(call, transcript.offered())).count();
    int gap = Math.abs(valid - facts) + calls.size() - valid;
    double reward = gap == 0 ? 0.5 : -0.5 * gap;
    String said =
        transcript.unfinished()
            ? ""
            : last.substring(
                last.contains(END_OF_CALL)
                    ? last.lastIndexOf(END_OF_CALL) + END_OF_CALL.length()
                    : 0);
    if (facts > 0) {
      reward += 2.5 * found(said, transcript.facts()) / facts;
    }
    if (transcript.unfinished()) {
      reward -= 0.5;
    }
    return reward - Repetition.OF_WORDS.of(said.isEmpty() ? last : said);
  }

  private boolean isValid(JsonNode call, Set<String> offered) {
    return tools.accepting(call).filter(tool -> offered.contains(tool.name())).isPresent();
  }

  /** How many different facts a text has, as they are written or as the same number. */
  private static int found(String text, List<JsonNode> facts) {
    List<Double> numbers = new ArrayList<>();
    Matcher matcher = NUMBER_IN_TEXT.matcher(text.replace(",", ""));
    while (matcher.find()) {
      numbers.add(number(matcher.group()));
    }
    String lower = text.toLowerCase(Locale.ROOT);
    Set<Object> found = new HashSet<>();
    for (JsonNode fact : facts) {
      String wanted = PythonText.strip(PythonJson.text(fact));
      String digits = wanted.replace(",", "");
      boolean isThere = !wanted.isEmpty() && lower.contains(wanted.toLowerCase(Locale.ROOT));
      if (isThere
          || NUMBER.matcher(digits).matches()
              && numbers.stream().anyMatch(n -> Math.abs(n - number(digits)) < TOLERANCE)) {
        found.add(fact.isNumber() ? (Object) fact.doubleValue() : fact);
      }
    }
    return found.size();
  }

  private static double number(String text) {
    return Double.parseDouble(PythonText.asciiDigits(text));
  }

  private static String said(String turn) {
    return PythonText.strip(Answer.said(turn));
  }

  private static int count(String text, String part) {
    int count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }
}
