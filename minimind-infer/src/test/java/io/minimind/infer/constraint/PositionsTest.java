package io.minimind.infer.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PositionsTest {

  @Test
  void whatIsKeptChangesNothing() throws IOException {
    Automaton automaton =
        AutomatonBuilder.build(
            SchemaCompiler.compile(Structured.schemas().get("nested objects")), CharacterSet.ALL);
    TokenTrie trie = TokenTrie.of(Structured.TOKENIZER);
    Positions keeping = new Positions(automaton, trie, Positions.MOST_KEPT);
    Positions forgetting = new Positions(automaton, trie, 0);
    SplittableRandom random = new SplittableRandom(6);
    for (int text = 0; text < 20; text++) {
      Position one = keeping.start();
      Position other = forgetting.start();
      for (int left = 40; left > 0; left--) {
        BitSet allowed = new BitSet();
        keeping.allow(one, left, allowed);
        BitSet alsoAllowed = new BitSet();
        forgetting.allow(other, left, alsoAllowed);
        assertEquals(allowed, alsoAllowed);
        assertEquals(one.mayEnd, other.mayEnd);
        if (allowed.isEmpty()) {
          break;
        }
        int id =
            allowed.stream().skip(random.nextInt(allowed.cardinality())).findFirst().getAsInt();
        one = keeping.after(one, id);
        other = forgetting.after(other, id);
      }
    }
  }

  @Test
  void severalThreadsMayUseAConstraint() throws IOException {
    TokenConstraint shared =
        Structured.CONSTRAINTS.jsonSchema(Structured.schemas().get("recursive tree"));
    List<String> together =
        IntStream.range(0, 200)
            .parallel()
            .mapToObj(i -> Structured.draw(shared, 100, new SplittableRandom(i)))
            .toList();
    TokenConstraint alone =
        Structured.CONSTRAINTS.jsonSchema(Structured.schemas().get("recursive tree"));
    for (int i = 0; i < 200; i++) {
      assertEquals(Structured.draw(alone, 100, new SplittableRandom(i)), together.get(i));
    }
  }

  @Test
  void aTokenAllocatesNothingOnceItsPositionIsKnown() throws IOException {
    TokenConstraint constraint =
        Structured.CONSTRAINTS.jsonSchema(Structured.schemas().get("nested objects"));
    String text =
        "{\"id\":12, \"owner\":{\"name\":\"Ada 名字\",\"address\":{\"street\":\"a rather long"
            + " street\",\"zip\":\"12345\"}}}";
    int[] ids = Structured.TOKENIZER.encode(text);
    BitSet allowed = new BitSet(Structured.TOKENIZER.vocabularySize());
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 20; i++) {
      TokenConstraint.State state = constraint.start(300);
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int id : ids) {
        allowed.clear();
        state.allow(allowed);
        assertTrue(allowed.get(id));
        state.advance(id);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least < ids.length, least + " bytes for " + ids.length + " tokens");
  }
}
