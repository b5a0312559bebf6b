package io.minimind.infer.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Schemas that join others: exactly what a validator lets through is let through. */
class CombinationsTest {
  private static final List<String> TEXTS = RandomCombination.texts();

  @Property(tries = 300)
  void exactlyTheValidTextsAreAccepted(@ForAll long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    JsonNode schema = RandomCombination.of(random);
    JsonSchema judge = Structured.judge(schema);
    TokenConstraint constraint;
    try {
      constraint = Structured.CONSTRAINTS.jsonSchema(schema);
    } catch (IllegalArgumentException e) {
      if (e.getMessage().contains("contradict")) {
        for (String text : TEXTS) {
          assertTrue(
              !judge.validate(Structured.JSON.readTree(text)).isEmpty(), text + " " + schema);
        }
      } else {

        assertTrue(e.getMessage().contains("not supported"), e.getMessage());
      }
      return;
    }
    for (String text : TEXTS) {
      boolean valid = judge.validate(Structured.JSON.readTree(text)).isEmpty();
      assertEquals(valid, Structured.accepts(constraint, text), () -> text + " and " + schema);
    }
    int least = Structured.least(constraint);
    for (int i = 0; i < 5; i++) {
      Structured.assertValid(judge, Structured.draw(constraint, least + 20 * i, random));
    }
  }
}
