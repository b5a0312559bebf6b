package io.minimind.examples.tutorial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A tutorial that is not true is found out. */
class WalkthroughTest {

  @TempDir Path folder;

  private Tutorial tutorial(String text) throws IOException {
    return Tutorial.read(Files.writeString(folder.resolve("tutorial.md"), text));
  }

  private void follow(String text) throws IOException, InterruptedException {
    Walkthrough.of(tutorial(text), Files.createDirectory(folder.resolve("work")));
  }

  private String refusal(String text) {
    return assertThrows(AssertionError.class, () -> follow(text)).getMessage();
  }

  @Test
  void commandsCodeAndOutputThatAgreePass() throws IOException, InterruptedException {
    follow(
        """
        ```sh
        echo "some text" > file.txt
        ```
        What is typed comes from the output.
        ```sh
        read question; echo "$question yes, and yes again"; cat file.txt
        ```
        ```output
        > Is it so?
        Is it so? yes…
        …
        ```
        ```java
        import java.nio.file.Files;
        import java.nio.file.Path;

        String text = Files.readString(Path.of("file.txt"));
        System.out.print(text);
        ```
        ```output
        some text
        ```
        ```java
        System.out.println(text.length() + Files.size(Path.of("file.txt")));
        ```
        ```output
        20
        ```
        """);
  }

  @Test
  void aTypeIsSavedForTheCommandsThatFollow() throws IOException, InterruptedException {
    follow(
        """
        ```java
        public record Pair(int a, int b) {}
        ```
        ```sh
        grep -c record Pair.java
        ```
        ```output
        1
        ```
        """);
  }

  @Test
  void javaIsTheOneOfTheTest() throws IOException, InterruptedException {
    follow(
        """
        ```sh
        command -v java
        ```
        ```output
        %s/bin/java
        ```
        """
            .formatted(System.getProperty("java.home")));
  }

  @Test
  void anotherOutputIsRefused() {
    String refusal =
        refusal(
            """
            Text.
            ```sh
            echo one; echo two
            ```
            ```output
            one
            three
            ```
            """);
    assertTrue(refusal.contains("tutorial.md:5: the block"), refusal);
    assertTrue(refusal.contains("it lacks the line\n  three"), refusal);
  }

  @ParameterizedTest
  @ValueSource(strings = {"./minimind nonsense", "./minimind export --no-such", "false"})
  void aCommandThatFailsIsRefused(String command) {
    String refusal = refusal("```sh\n" + command + "\n```\n");
    assertTrue(refusal.contains("ended with the status"), refusal);
  }

  @Test
  void aCommandThatShouldFailMust() throws IOException, InterruptedException {
    String refusal = refusal("<!-- In the test: it fails -->\n```sh\ntrue\n```\n");
    assertTrue(refusal.contains("ended with the status 0"), refusal);
  }

  @Test
  void whatIsNotRunIsNot() throws IOException, InterruptedException {
    follow("<!-- In the test: not run, it would fail -->\n```sh\nfalse\n```\n");
  }

  @Test
  void codeThatDoesNotCompileIsRefused() {
    String refusal = refusal("```java\nint a = noSuchThing();\n```\n");
    assertTrue(refusal.contains("does not compile"), refusal);
    assertTrue(refusal.contains("noSuchThing"), refusal);
  }

  @Test
  void codeThatThrowsIsRefusedAtItsBlock() {
    String refusal =
        refusal(
            """
            ```java
            int zero = 0;
            ```
            ```java
            System.out.println(1 / zero);
            ```
            """);
    assertTrue(refusal.contains("tutorial.md:4: the block"), refusal);
    assertTrue(refusal.contains("ArithmeticException"), refusal);
  }

  @Test
  void aDependencyThatIsNoneIsRefused() {
    String refusal =
        refusal(
            """
            ```xml
            <artifactId>minimind-infer</artifactId>
            <version>9.9</version>
            ```
            """);
    assertTrue(refusal.contains("9.9"), refusal);
  }

  @Test
  void aReplacementOfWhatIsNotThereIsAMistake() {
    assertThrows(
        IllegalArgumentException.class,
        () -> follow("<!-- In the test: 20 becomes 1 -->\n```sh\necho 10\n```\n"));
  }

  @ParameterizedTest
  @CsvSource({
    "5 tokens, 6 tokens, false, false",
    "5 tokens, '6,000 tokens', true, true",
    "5 tokens, 5 words, true, false",
    "in 2 min 5 s, in 9 s, true, true",
    "a … c, a b c, false, true",
    "a … c, a b, false, false",
    "a (b), a (b), false, true",
    "a, a b, false, false"
  })
  void linesAgreeOrDoNot(String expected, String found, boolean numbersAreFree, boolean agree) {
    assertEquals(agree, new ExpectedOutput(expected, numbersAreFree).difference(found).isEmpty());
  }

  @Test
  void aLineTooMuchIsADifference() {
    ExpectedOutput expected = new ExpectedOutput("one\n…\nthree", false);
    assertTrue(expected.difference("one\ntwo\nthree\n").isEmpty());
    assertTrue(expected.difference("one\nthree\n").isEmpty());
    assertEquals(
        "it goes on with\n  four", expected.difference("one\nthree\nfour\n").orElseThrow());
  }

  @Test
  void namesAreOfTheProject() throws IOException {
    String known =
        """
        `Trainer`, `Trainer.run`, `Operators.logSumExp(x)`, `train/Trainer`, `docs/architecture.md`,
        `examples/…/Pretrain`, `--max-length`, `./minimind eval chat --history`, `loss_mask`
        """;
    assertEquals(List.of(), CodeNames.ofProject().unknown(tutorial(known)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Train~err",
        "Trainer.fl~y",
        "train/Train~err",
        "docs/no~where.md",
        "--no-such~-option",
        "./minimind fl~y",
        "./minimind eval fl~y",
        "no_such~_tensor"
      })
  void aNameOfNothingIsUnknown(String name) throws IOException {
    // Written apart above, for this test is one of the sources.
    String whole = name.replace("~", "");
    assertEquals(List.of(whole), CodeNames.ofProject().unknown(tutorial("`" + whole + "`")));
  }

  @Test
  void aLinkToNothingIsBroken() throws IOException {
    Files.writeString(folder.resolve("there.md"), "# A Title, here\n");
    Tutorial tutorial =
        tutorial("[a](there.md) [b](there.md#a-title-here) [c](gone.md) [d](there.md#gone)");
    assertEquals(List.of("](gone.md)", "](there.md#gone)"), CodeNames.brokenLinks(tutorial));
  }
}
