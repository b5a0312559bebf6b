package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** What cannot be, whatever the files are: status 2, and a sentence that names the option. */
class WrongUsageTest {

  private static final Map<Class<?>, String> EXPECTED =
      Map.of(
          int.class, "a whole number",
          Integer.class, "a whole number",
          long.class, "a whole number",
          Long.class, "a whole number",
          float.class, "a number",
          Float.class, "a number",
          double.class, "a number",
          Double.class, "a number");

  @TempDir static Path folder;
  private static Path model;

  @BeforeAll
  static void train() {
    model = Commands.trained(folder);
  }

  private static List<String> lines(String... args) {
    Commands.Result result = Commands.run(args);
    List<String> lines = result.err().lines().toList();
    assertEquals(2, result.status(), result.err());
    assertEquals(2, lines.size(), result.err());
    assertTrue(lines.get(1).startsWith("Try 'minimind"), lines.get(1));
    return lines;
  }

  /** Each option of each command that takes a number. */
  @TestFactory
  Stream<DynamicTest> noNumber() {
    List<DynamicTest> tests = new ArrayList<>();
    collect(MiniMind.commandLine(new MiniMind()), tests);
    assertTrue(tests.size() > 100, "the options were not found");
    return tests.stream();
  }

  private static void collect(CommandLine command, List<DynamicTest> tests) {
    String name = command.getCommandSpec().qualifiedName();
    for (OptionSpec option : command.getCommandSpec().options()) {
      String expected = EXPECTED.get(option.auxiliaryTypes()[0]);
      if (expected != null) {
        String given = option.longestName() + "=1,5x";
        tests.add(
            DynamicTest.dynamicTest(
                name + " " + given, () -> assertNoNumber(name, option, given, expected)));
      }
    }
    command.getSubcommands().values().forEach(subcommand -> collect(subcommand, tests));
  }

  private static void assertNoNumber(
      String name, OptionSpec option, String given, String expected) {
    List<String> args = new ArrayList<>(List.of(name.split(" ")));
    args.remove(0);
    args.add(given);
    String value = option.splitRegex().isEmpty() ? "1,5x" : "5x";
    assertEquals(
        "%s cannot be \"%s\": expected %s.".formatted(option.longestName(), value, expected),
        lines(args.toArray(String[]::new)).get(0));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "pretrain --epochs=99999999999 | --epochs cannot be \"99999999999\": expected a whole"
            + " number of at most 2147483647.",
        "pretrain --preset=huge | --preset cannot be \"huge\": expected tiny, small, base, moe,"
            + " minimind3 or minimind3_moe.",
        "pretrain --precision=half | --precision cannot be \"half\": expected float32, tf32, bf16,"
            + " fp16 or auto.",
        "chat --think=perhaps | --think cannot be \"perhaps\": expected true or false.",
        "import --set=heads | --set cannot be \"heads\": expected FIELD=VALUE.",
        "pretrain --data | --data needs a value: --data=FILE.",
        "pretrain --data --out=x | --data needs a value: --data=FILE.",
        "pretrain --seed=1 --seed=2 | --seed is given twice: give it once.",
        "answer | --model=DIR, --data=FILE and --to=FILE must be given.",
        "data inspect | FILE must be given.",
        "pretrain --bach-size=3 | There is no option --bach-size: is it --batch-size?",
        "answer --modle=x --data=y --to=z | There is no option --modle: is it --model?",
        "launch --nproc=2 pretrain --bach-size=3 | There is no option --bach-size: is it"
            + " --batch-size?",
        "pretrain --frobnicate | There is no option --frobnicate.",
        "pretrain -x | There is no option \"-x\".",
        "pretrain corpus.csv | minimind pretrain does not know what to do with \"corpus.csv\": it"
            + " is no option, and no value of one.",
        "evl | There is no command \"evl\" in minimind: is it eval?",
        "bench fast | There is no command \"fast\" in minimind bench: expected train, decode,"
            + " serve, constraints, rollouts or help.",
      })
  void isSaidInOurWords(String command, String sentence) {
    assertEquals(sentence, lines(command.split(" ")).get(0));
  }

  @Test
  void whatCannotBeLaunchedPointsAtTheHelpOfWhatWasLaunched() {
    List<String> said =
        lines(
            "launch",
            "--nproc=2",
            "pretrain",
            "--data=" + Commands.CORPUS,
            "--tokenizer=" + Commands.TOKENIZER,
            "--epochs=0");
    assertEquals(
        List.of(
            "The number of epochs must be at least 1, but is 0.",
            "Try 'minimind pretrain --help'."),
        said);
  }

  @Test
  void aCommandThatNeedsAnotherSaysWhich() {
    String sentence = lines("tokenizer").get(0);
    assertTrue(sentence.startsWith("minimind tokenizer needs a command: expected "), sentence);
    assertTrue(sentence.contains("encode"), sentence);
    assertTrue(lines().get(0).contains("quickstart"), "the commands are listed");
  }

  /** Values that no file can make possible. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "pretrain --data=CORPUS --tokenizer=TOKENIZER --out=OUT --batch-size=0",
        "pretrain --data=CORPUS --tokenizer=TOKENIZER --out=OUT --heads=5",
        "sft --from=MODEL --data=CHATS --out=OUT --lora-rank=0",
        "sft --from=MODEL --data=CHATS --out=OUT --epochs=-1",
        "sft --from=MODEL --data=CHATS --out=OUT --max-length=100000",
        "sft --from=MODEL --data=CHATS --out=MODEL",
        "dpo --from=MODEL --data=CHATS --out=OUT --beta=-1",
        "grpo --from=MODEL --data=CHATS --out=OUT --answers=0",
        "grpo --from=MODEL --data=CHATS --out=OUT --reward=none",
        "agent --from=MODEL --data=CHATS --out=OUT --turns=0",
        "answer --model=MODEL --data=CHATS --to=OUT --batch-size=0",
        "answer --model=MODEL --data=CHATS --to=OUT --top-p=2",
        "eval pretrain --model=MODEL --temperature=-1",
        "eval chat --model=MODEL --history=-1",
        "eval chat --model=MODEL --top-k=-1",
        "eval ceval --model=MODEL --data=x --shots=-1",
        "eval ceval --model=MODEL --data=x --threads=0",
        "eval tools --model=MODEL --max-new-tokens=0",
        "eval tools --model=MODEL --temperature=NaN",
        "chat --model=MODEL --turns=-1",
        "chat --model=MODEL --threads=0",
        "chat --model=MODEL --max-new-tokens=0",
        "serve --model=MODEL --port=70000",
        "serve --model=MODEL --parallel=0",
        "serve --model=MODEL --grace=-1",
        "serve --model=a=MODEL --model=a=MODEL --port=0",
        "tokenizer train --data=CORPUS --out=OUT --vocab-size=1",
        "tokenizer train --data=CORPUS --out=OUT --max-rows=0",
        "tokenizer encode --tokenizer=TOKENIZER --file=CORPUS text",
        "tokenizer decode --tokenizer=TOKENIZER one",
        "data prepare CORPUS --out=OUT --min-length=9 --max-length=3",
        "data prepare CORPUS --out=CORPUS",
        "data tasks --out=OUT --guesses=2",
        "data tasks --out=OUT --tools=hammer",
        "export --model=MODEL --out=MODEL",
        "export --model=MODEL --out=OUT --format=peft --quantize=int8",
        "publish --model=MODEL --to=OUT --group=a/b",
        "launch --nproc=0 pretrain",
        "launch --nproc=2 chat",
        "launch --nproc=2 pretrain --data=CORPUS --tokenizer=TOKENIZER --out=OUT --epochs=0",
        "launch --nproc=2 pretrain --data=CORPUS --out=OUT",
        "launch --nproc=2 sft --from=MODEL --data=CHATS --out=OUT --max-length=100000",
        "launch --nproc=2 bench train --steps=0",
        "bench train --nodes=2 --steps=0",
        "bundle --to=OUT --split=0",
        "quickstart --out=OUT --threads=0",
        "bench train --steps=0",
        "bench train --peak=0",
        "bench decode --tokens=1",
        "bench decode --prompt=100000",
        "bench decode --threads=0",
        "bench serve --rounds=0",
        "bench serve --clients=1,0",
        "bench serve --clients=2000",
        "bench rollouts --from=MODEL --data=CHATS --steps=0",
        "bench rollouts --from=MODEL --data=CHATS --answers=0"
      })
  void isSaidBeforeAnythingIsBegun(String command) {
    Path out = folder.resolve("out");
    String[] args =
        Stream.of(command.split(" "))
            .map(
                word ->
                    word.replace("MODEL", model.toString())
                        .replace("TOKENIZER", Commands.TOKENIZER.toString())
                        .replace("CORPUS", Commands.CORPUS.toString())
                        .replace("CHATS", Commands.CHATS.toString())
                        .replace("OUT", out.toString()))
            .toArray(String[]::new);
    String sentence = lines(args).get(0);
    assertTrue(sentence.endsWith("."), sentence);
    assertFalse(sentence.contains("Exception"), sentence);
    assertFalse(Files.exists(out), "nothing is made for what cannot be");
  }
}
