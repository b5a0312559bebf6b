package io.minimind.examples;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import io.minimind.files.InputException;
import io.minimind.infer.constraint.Constraints;
import io.minimind.infer.constraint.TokenConstraint;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Which schemas structured output takes, how long it takes, and whether what it writes is valid.
 */
@Command(
    name = "constraints",
    description = {
      "Measures structured output: the share of schemas that are taken, the time to compile one and"
          + " to find the tokens that may come next, and whether a validator of another house"
          + " agrees with what is written.",
      "Times are of the processor, so that other programs on the machine do not count, after a"
          + " first look at some of the schemas."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class BenchmarkConstraints implements Callable<Integer> {
  private static final Pattern LEAST = Pattern.compile("up to (\\d+) tokens");
  private static final int LONGEST = 100_000;
  private static final int WARM_UP = 50;

  @Mixin private TokenizerOption tokenizerOption;

  @Option(
      names = "--schemas",
      paramLabel = "DIR",
      description =
          "Folder of .json files, each a schema, or an object with schema and tests as in"
              + " MaskBench; without it, a few that come with the program.")
  private Path folder;

  @Option(
      names = "--texts",
      paramLabel = "N",
      description = "Texts to write at random by each schema, all allowed tokens being as likely.")
  private int texts = 5;

  @Option(names = "--seed", paramLabel = "N", description = "Of the texts.")
  private long seed = 1;

  @Option(names = "--show", description = "Names what is refused, lost or invalid.")
  private boolean show;

  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final List<Long> compiling = new ArrayList<>();
  private final List<Long> masking = new ArrayList<>();
  private int taken;
  private int valid;
  private int accepted;
  private int invalid;
  private int wronglyAccepted;
  private int written;
  private int judged;
  private int wrong;

  public static void main(String[] args) {
    MiniMind.run(new BenchmarkConstraints(), args);
  }

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer = tokenizerOption.load();
    Constraints constraints = Constraints.of(tokenizer);
    List<SchemaCase> cases = folder == null ? SchemaCase.shipped() : SchemaCase.read(folder);
    if (cases.isEmpty()) {
      throw new InputException("There is no .json file in " + folder + ".");
    }
    cases.stream().limit(WARM_UP).forEach(each -> warmUp(constraints, each));
    SplittableRandom random = new SplittableRandom(seed);
    for (SchemaCase each : cases) {
      compile(constraints, each)
          .ifPresent(
              constraint -> {
                each.tests().forEach(test -> test(tokenizer, constraint, each, test));
                write(tokenizer, constraint, each, random);
              });
    }
    print(cases.size());
    return wrong + wronglyAccepted == 0 ? 0 : 1;
  }

  private static void warmUp(Constraints constraints, SchemaCase each) {
    try {
      constraints.jsonSchema(each.schema());
    } catch (IllegalArgumentException e) {
      // It will be counted in its turn.
    }
  }

  private Optional<TokenConstraint> compile(Constraints constraints, SchemaCase each) {
    long start = threads.getCurrentThreadCpuTime();
    try {
      TokenConstraint constraint = constraints.jsonSchema(each.schema());
      taken++;
      return Optional.of(constraint);
    } catch (IllegalArgumentException e) {
      tell("refused", each, e.getMessage());
      return Optional.empty();
    } finally {
      compiling.add(threads.getCurrentThreadCpuTime() - start);
    }
  }

  /** Whether a value is let through, written as most programs do. */
  private void test(
      Tokenizer tokenizer, TokenConstraint constraint, SchemaCase each, JsonNode test) {
    StringBuilder text = new StringBuilder();
    append(test.get("data"), text);
    boolean fits = accepts(tokenizer, constraint, text.toString());
    if (test.path("valid").asBoolean()) {
      valid++;
      accepted += fits ? 1 : 0;
      if (!fits) {
        tell("not written", each, text.toString());
      }
    } else {
      invalid++;
      wronglyAccepted += fits ? 1 : 0;
      if (fits) {
        tell("wrongly let through", each, text.toString());
      }
    }
  }

  private boolean accepts(Tokenizer tokenizer, TokenConstraint constraint, String text) {
    TokenConstraint.State state = constraint.start(LONGEST);
    BitSet allowed = new BitSet(tokenizer.vocabularySize());
    for (int id : tokenizer.encode(text)) {
      allow(state, allowed);
      if (!allowed.get(id)) {
        return false;
      }
      state.advance(id);
    }
    return state.mayEnd();
  }

  private void allow(TokenConstraint.State state, BitSet allowed) {
    allowed.clear();
    long start = threads.getCurrentThreadCpuTime();
    state.allow(allowed);
    masking.add(threads.getCurrentThreadCpuTime() - start);
  }

  private void write(
      Tokenizer tokenizer, TokenConstraint constraint, SchemaCase each, SplittableRandom random) {
    Optional<JsonSchema> judge = each.judge();
    int least = least(constraint);
    for (int i = 0; i < texts; i++) {
      String text = draw(tokenizer, constraint, least + random.nextInt(100), random);
      written++;
      Optional<String> problem = problem(judge, text);
      judged += judge.isPresent() ? 1 : 0;
      if (problem.isPresent()) {
        wrong++;
        tell("invalid by the validator", each, text + " " + problem.get());
      }
    }
  }

  private static int least(TokenConstraint constraint) {
    try {
      constraint.start(0);
      return 0;
    } catch (IllegalArgumentException e) {
      Matcher number = LEAST.matcher(e.getMessage());
      return number.find() ? Integer.parseInt(number.group(1)) : 0;
    }
  }

  private String draw(
      Tokenizer tokenizer, TokenConstraint constraint, int budget, SplittableRandom random) {
    TokenConstraint.State state = constraint.start(budget);
    int[] ids = new int[budget];
    BitSet allowed = new BitSet(tokenizer.vocabularySize());
    for (int size = 0; ; size++) {
      allow(state, allowed);
      int tokens = allowed.cardinality();
      int chosen = random.nextInt(tokens + (state.mayEnd() ? 1 : 0));
      if (chosen == tokens) {
        return tokenizer.decode(Arrays.copyOf(ids, size));
      }
      int id = allowed.nextSetBit(0);
      for (; chosen > 0; chosen--) {
        id = allowed.nextSetBit(id + 1);
      }
      state.advance(id);
      ids[size] = id;
    }
  }

  private static Optional<String> problem(Optional<JsonSchema> judge, String text) {
    try {
      JsonNode value = SchemaCase.JSON.readTree(text);
      return judge
          .map(schema -> schema.validate(value))
          .filter(found -> !found.isEmpty())
          .map(Object::toString);
    } catch (IOException e) {
      return Optional.of(e.getMessage());
    } catch (StackOverflowError e) {
      return Optional.empty(); // Values are nested too deeply for the judge.
    }
  }

  private static void append(JsonNode json, StringBuilder text) {
    if (json.isObject()) {
      String before = "{";
      for (var entry : json.properties()) {
        text.append(before).append(SchemaCase.JSON.getNodeFactory().textNode(entry.getKey()));
        append(entry.getValue(), text.append(": "));
        before = ", ";
      }
      text.append(json.isEmpty() ? "{}" : "}");
    } else if (json.isArray()) {
      String before = "[";
      for (JsonNode item : json) {
        append(item, text.append(before));
        before = ", ";
      }
      text.append(json.isEmpty() ? "[]" : "]");
    } else {
      text.append(json);
    }
  }

  private void tell(String what, SchemaCase each, String text) {
    if (show) {
      System.out.println(what + ": " + each.name() + ": " + text);
    }
  }

  private void print(int schemas) {
    String format =
        """
        taken      %d of %d schemas (%.1f %%)
        compiling  median %.2f ms, 99th percentile %.1f ms, longest %.0f ms
        a mask     median %.1f us, 99th percentile %.0f us, longest %.1f ms, of %,d
        tests      %d of %d valid values can be written, %d of %d invalid ones
        texts      %d written, %d judged, %d invalid
        """;
    System.out.printf(
        Locale.ROOT,
        format,
        taken,
        schemas,
        100.0 * taken / schemas,
        quantile(compiling, 0.5) / 1e6,
        quantile(compiling, 0.99) / 1e6,
        quantile(compiling, 1) / 1e6,
        quantile(masking, 0.5) / 1e3,
        quantile(masking, 0.99) / 1e3,
        quantile(masking, 1) / 1e6,
        masking.size(),
        accepted,
        valid,
        wronglyAccepted,
        invalid,
        written,
        judged,
        wrong);
  }

  private static long quantile(List<Long> values, double share) {
    long[] sorted = values.stream().mapToLong(Long::longValue).sorted().toArray();
    return sorted.length == 0
        ? 0
        : sorted[(int) Math.min(sorted.length - 1, share * sorted.length)];
  }
}
