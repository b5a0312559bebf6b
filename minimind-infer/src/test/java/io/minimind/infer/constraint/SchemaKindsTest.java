package io.minimind.infer.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What people write in schemas, by a text that is allowed or not. */
class SchemaKindsTest {

  @ParameterizedTest
  @CsvSource(
      delimiterString = " | ",
      quoteCharacter = '`',
      value = {
        // Remarks
        "{'type': 'null', 'discriminator': {'propertyName': 'k'}, 'x-order': 1, 'example': 2} |"
            + " null | true",
        "{'id': 'http://a.org/s', 'type': 'null', 'links': [], 'readonly': true} | null | true",
        "{'type': 'string', 'format': 'html-selector'} | 'a' | true",
        // Drafts
        "{'$schema': 'http://json-schema.org/draft-04/schema#', 'type': 'integer', 'minimum': 3,"
            + " 'exclusiveMinimum': true} | 3 | false",
        "{'type': 'integer', 'minimum': 3, 'exclusiveMinimum': true} | 4 | true",
        "{'type': 'integer', 'minimum': 3, 'exclusiveMinimum': false} | 3 | true",
        "{'type': 'array', 'items': [{'type': 'null'}], 'additionalItems': {'type': 'integer'}} |"
            + " [null, 1] | true",
        "{'type': 'array', 'items': [{'type': 'null'}], 'additionalItems': {'type': 'integer'}} |"
            + " [null, null] | false",
        "{'type': 'array', 'items': [{'type': 'null'}], 'additionalItems': false} | [null] | true",
        "{'$schema': 'http://json-schema.org/draft-07/schema#', 'definitions': {'n': {'type':"
            + " 'null'}}, '$ref': '#/definitions/n', 'type': 'string'} | null | true",
        "{'type': 'object', 'dependencies': {'a': ['b']}, 'properties': {'a': {}, 'b': {}}} |"
            + " {'a':1} | false",
        "{'type': 'object', 'dependencies': {'a': {'required': ['b']}}, 'properties': {'a': {},"
            + " 'b': {}}} | {'a':1, 'b': 2} | true",
        // References
        "{'$ref': '#/$defs/a%20b~1c', '$defs': {'a b/c': {'type': 'null'}}} | null | true",
        "{'$ref': '#/definitions/%E8%93%9D', 'definitions': {'蓝': {'type': 'null'}}} | null | true",
        "{'$ref': '#here', '$defs': {'x': {'$anchor': 'here', 'type': 'null'}}} | null | true",
        "{'$ref': '#here', 'definitions': {'x': {'id': '#here', 'type': 'null'}}} | null | true",
        "{'$id': 'http://a.org/root', '$ref': 'part', '$defs': {'x': {'$id': 'part', 'type':"
            + " 'null'}}} | null | true",
        "{'$id': 'http://a.org/root.json', 'properties': {'a': {'$ref':"
            + " 'http://a.org/root.json#/$defs/x'}}, '$defs': {'x': {'type': 'null'}}} |"
            + " {'a':null} | true",
        "{'type': 'object', 'properties': {'a': {'id': '/properties/a', '$ref':"
            + " '#/definitions/x'}}, 'definitions': {'x': {'type': 'null'}}} | {'a':null} | true",
        "{'$defs': {'x': {'minimum': 3}}, '$ref': '#/$defs/x', 'type': 'integer'} | 2 | false",
        // allOf, anyOf, oneOf, not, if
        "{'type': 'string', 'allOf': [{'pattern': 'a'}, {'pattern': 'b'}]} | 'xbya' | true",
        "{'type': 'string', 'allOf': [{'pattern': 'a'}, {'pattern': 'b'}]} | 'xb' | false",
        "{'allOf': [{'properties': {'a': {'type': 'null'}}}, {'properties': {'b': {}},"
            + " 'additionalProperties': {'type': 'null'}}]} | {'a': null, 'b': 1} | true",
        "{'enum': ['ab', 'b', 'cb'], 'minLength': 2, 'pattern': '^a'} | 'ab' | true",
        "{'enum': ['ab', 'b', 'cb'], 'minLength': 2, 'pattern': '^a'} | 'cb' | false",
        "{'type': 'object', 'properties': {'a': {}, 'b': {}}, 'oneOf': [{'required': ['a']},"
            + " {'required': ['b']}]} | {'a':1,'b':2} | false",
        "{'type': 'object', 'properties': {'a': {}, 'b': {}}, 'oneOf': [{'required': ['a']},"
            + " {'required': ['b']}]} | {'b':2} | true",
        "{'oneOf': [{'type': 'number', 'minimum': 0}, {'type': 'integer'}]} | 3 | false",
        "{'oneOf': [{'type': 'number', 'minimum': 0}, {'type': 'integer'}]} | -3 | true",
        "{'oneOf': [{'type': 'number', 'minimum': 0}, {'type': 'integer'}]} | 2.5 | true",
        "{'oneOf': [{'type': 'array', 'items': {'type': 'string'}}, {'type': 'array', 'items':"
            + " {'type': 'number'}}]} | [] | false",
        "{'oneOf': [{'type': 'array', 'items': {'type': 'string'}}, {'type': 'array', 'items':"
            + " {'type': 'number'}}]} | ['a'] | true",
        "{'type': 'object', 'properties': {'k': {'enum': ['x', 'y']}, 'v': {}}, 'required': ['k'],"
            + " 'if': {'properties': {'k': {'const': 'x'}}}, 'then': {'required': ['v']}, 'else':"
            + " {'properties': {'v': false}}} | {'k':'x'} | false",
        "{'type': 'object', 'properties': {'k': {'enum': ['x', 'y']}, 'v': {}}, 'required': ['k'],"
            + " 'if': {'properties': {'k': {'const': 'x'}}}, 'then': {'required': ['v']}, 'else':"
            + " {'properties': {'v': false}}} | {'k':'y'} | true",
        "{'type': 'object', 'properties': {'k': {'enum': ['x', 'y']}, 'v': {}}, 'required': ['k'],"
            + " 'if': {'properties': {'k': {'const': 'x'}}}, 'then': {'required': ['v']}, 'else':"
            + " {'properties': {'v': false}}} | {'k':'y','v':1} | false",
        "{'type': 'string', 'not': {'enum': ['a', 'b']}} | 'a' | false",
        "{'type': 'string', 'not': {'enum': ['a', 'b']}} | 'ab' | true",
        "{'type': 'object', 'properties': {'a': {}}, 'not': {'required': ['a']}} | {'a':1} | false",
        "{'not': {'type': ['string', 'object']}} | [null] | true",
        "{'not': {'type': ['string', 'object']}} | 'x' | false",
        // Objects
        "{'type': 'object', 'patternProperties': {'^x-': {'type': 'null'}},"
            + " 'additionalProperties': {'type': 'integer'}} | {'x-a':null, 'b':1} | true",
        "{'type': 'object', 'patternProperties': {'^x-': {'type': 'null'}},"
            + " 'additionalProperties': {'type': 'integer'}} | {'x-a':1} | false",
        "{'type': 'object', 'patternProperties': {'^x-': {'type': 'null'}},"
            + " 'additionalProperties': false} | {'b':1} | false",
        "{'type': 'object', 'properties': {'x-1': {}}, 'patternProperties': {'^x-': {'type':"
            + " 'null'}}} | {'x-1':1} | false",
        "{'type': 'object', 'propertyNames': {'pattern': '^[a-z]+$', 'maxLength': 3}} | {'abc':1} |"
            + " true",
        "{'type': 'object', 'propertyNames': {'pattern': '^[a-z]+$', 'maxLength': 3}} | {'abcd':1}"
            + " | false",
        "{'type': 'object', 'propertyNames': {'enum': ['p', 'q']}} | {'q':1} | true",
        "{'type': 'object', 'propertyNames': {'enum': ['p', 'q']}} | {'r':1} | false",
        "{'type': 'object', 'properties': {'a': {}, 'b': {}}, 'dependentRequired': {'a': ['b']}} |"
            + " {'a':1} | false",
        "{'type': 'object', 'properties': {'a': {}, 'b': {}}, 'dependentRequired': {'a': ['b']}} |"
            + " {'b':1} | true",
        // Bounds that no text reaches
        "{'type': 'string', 'pattern': '^a*$', 'maxLength': 4000000000} | 'aaa' | true",
        "{'type': 'array', 'maxItems': 1000000000000} | [1] | true",
        "{'type': 'number', 'minimum': -1e308, 'maximum': 1.7976931348623157e308} | -2.5 | true",
        "{'type': 'integer', 'minimum': 0, 'maximum': 1e308} | 25 | true",
        "{'type': 'integer', 'minimum': 1e-999999999, 'maximum': 2} | 1 | true",
        "{'type': 'integer', 'minimum': 1e-999999999, 'maximum': 2} | 0 | false",
        "{'type': 'integer', 'minimum': -1e-999999999, 'maximum': 2} | 0 | true",
        "{'type': 'integer', 'minimum': -1e-999999999, 'maximum': 2} | -1 | false",
        "{'type': 'integer', 'minimum': 0e-999999999, 'exclusiveMinimum': 0e-999999999} | 0 |"
            + " false",
        "{'type': 'integer', 'minimum': 0.5, 'maximum': 2} | 1 | true",
        "{'type': 'integer', 'minimum': -0.05, 'maximum': 2} | -1 | false",
        "{'const': 1e2147483647} | 1E+2147483647 | true",
        "{'const': 3, 'multipleOf': 1e-999999999} | 3 | true",
        "{'enum': [0, 3, 4], 'multipleOf': 4} | 3 | false",
        "{'enum': [0, 3, 4], 'multipleOf': 4} | 0 | true",
        "{'type': 'number', 'minimum': 0, 'maximum': 9007199254740991} | 2.5 | true",
        "{'type': 'number', 'minimum': 0, 'maximum': 9007199254740991} | -1 | false",
        "{'type': 'integer', 'minimum': -9007199254740991, 'maximum': 9007199254740991} |"
            + " 9007199254740991 | true",
        "{'type': 'integer', 'minimum': -9007199254740991, 'maximum': 9007199254740991} |"
            + " 9007199254740992 | false",
        "{'type': 'number', 'exclusiveMinimum': 0, 'exclusiveMaximum': 0.000000001} |"
            + " 0.0000000005 | true",
        "{'type': 'string', 'pattern': '^[\\\\u{1F600}-\\\\u{1F64F}]$'} | '😀' | true",
        "{'type': 'string', 'pattern': '^[\\\\u{1F600}-\\\\u{1F64F}]$'} | 'a' | false",
        "{'type': 'object', 'minProperties': 1} | {} | false",
        "{'type': 'object', 'minProperties': 1, 'maxProperties': 1} | {'a':1} | true",
        "{'type': 'object', 'minProperties': 1, 'maxProperties': 1} | {'a':1,'b':1} | false",
        "{'type': 'object', 'properties': {'a': {}, 'b': {}, 'c': {}}, 'minProperties': 2} |"
            + " {'b':1} | false",
        "{'type': 'object', 'properties': {'a': {}, 'b': {}, 'c': {}}, 'minProperties': 2} |"
            + " {'b':1,'c':1} | true",
        "{'additionalProperties': {'type': 'null'}} | {'a\\\\b':null} | true",
        // Arrays
        "{'type': 'array', 'contains': {'const': 7}} | [1, 7, 1] | true",
        "{'type': 'array', 'contains': {'const': 7}} | [1, 1] | false",
        "{'type': 'array', 'items': {'enum': [1, 'a', null]}, 'uniqueItems': true} | [null, 1] |"
            + " true",
        "{'type': 'array', 'items': {'enum': [1, 'a', null]}, 'uniqueItems': true} | [1, 1] |"
            + " false",
        "{'type': 'array', 'items': {'enum': [1, 1.0]}, 'minItems': 1, 'uniqueItems': true} | [1,"
            + " 1.0] | false",
        // Numbers
        "{'type': 'integer', 'multipleOf': 5, 'minimum': 1} | 15 | true",
        "{'type': 'integer', 'multipleOf': 5, 'minimum': 1} | 16 | false",
        "{'type': 'number', 'multipleOf': 0.01} | 1.25 | true",
        "{'type': 'number', 'multipleOf': 0.01} | 1.255 | false",
        "{'type': 'number', 'enum': [1.0, 250000]} | 250000 | true",
        // null as OpenAPI means it
        "{'type': 'string', 'nullable': true, 'maxLength': 2} | null | true",
        "{'type': 'string', 'nullable': true, 'enum': ['a']} | null | false",
        "{'type': 'string', 'nullable': true, 'enum': ['a', null]} | null | true",
        "{'nullable': true, 'allOf': [{'type': 'string'}]} | null | false",
        // Formats
        "{'type': 'string', 'format': 'date'} | '2024-02-29' | true",
        "{'type': 'string', 'format': 'date'} | '2023-02-29' | false",
        "{'type': 'string', 'format': 'date'} | '1900-02-29' | false",
        "{'type': 'string', 'format': 'time'} | '23:59:59.25+01:30' | true",
        "{'type': 'string', 'format': 'date-time'} | '2024-02-29T12:00:00Z' | true",
        "{'type': 'string', 'format': 'duration'} | 'P1Y2M3DT4H5M6S' | true",
        "{'type': 'string', 'format': 'duration'} | 'P' | false",
        "{'type': 'string', 'format': 'email'} | 'John.Doe+tag@sub.example.org' | true",
        "{'type': 'string', 'format': 'email'} | 'john..doe@example.org' | false",
        "{'type': 'string', 'format': 'hostname'} | 'www.example.org' | true",
        "{'type': 'string', 'format': 'hostname'} | '-a.org' | false",
        "{'type': 'string', 'format': 'idn-hostname'} | 'www.example.org' | true",
        "{'type': 'string', 'format': 'idn-hostname'} | 'WWW.example.org' | false",
        "{'type': 'string', 'format': 'uri-template'} | '/a{b,c}/d' | true",
        "{'type': 'string', 'format': 'ipv6'} | '2001:db8::1' | true",
        "{'type': 'string', 'format': 'ipv6'} | '1::2::3' | false",
        "{'type': 'string', 'format': 'ipv6'} | '1:2:3:4:5:6:7:8:9' | false",
        "{'type': 'string', 'format': 'uri'} | 'https://example.org:80/a/b?c=d#e' | true",
        "{'type': 'string', 'format': 'uri'} | 'urn:isbn:123' | true",
        "{'type': 'string', 'format': 'uri'} | '/a/b' | false",
        "{'type': 'string', 'format': 'uri-reference'} | '../a?b' | true",
        "{'type': 'string', 'format': 'uuid'} | '123E4567-e89b-12d3-a456-426614174000' | true",
        "{'type': 'string', 'format': 'json-pointer'} | '/a~1b/0' | true",
        "{'type': 'string', 'format': 'date', 'pattern': '^2024', 'maxLength': 10} | '2023-01-01' |"
            + " false",
        "{'type': 'string', 'format': 'date', 'pattern': '^2024', 'maxLength': 10} | '2024-01-01' |"
            + " true",
        // Look-ahead
        "{'type': 'string', 'pattern': '^(?!foo)[a-z]+$'} | 'fob' | true",
        "{'type': 'string', 'pattern': '^(?!foo)[a-z]+$'} | 'foob' | false",
        "{'type': 'string', 'pattern': '^(?=.*[0-9])(?=.*[a-z]).{3,}$'} | 'a1_' | true",
        "{'type': 'string', 'pattern': '^(?=.*[0-9])(?=.*[a-z]).{3,}$'} | 'abc' | false",
        "{'type': 'string', 'pattern': '^(?=.{1,5}$)[a-z]+(-[a-z]+)*$'} | 'ab-cd' | true",
        "{'type': 'string', 'pattern': '^(?=.{1,5}$)[a-z]+(-[a-z]+)*$'} | 'ab-cde' | false",
        "{'type': 'string', 'pattern': '^((?!--).)*$'} | 'a-b-c' | true",
        "{'type': 'string', 'pattern': '^((?!--).)*$'} | 'a--c' | false",
        "{'type': 'string', 'pattern': '^$|(^\\\\S+$)'} | '' | true",
        "{'type': 'string', 'pattern': '^(a|b$)'} | 'ac' | true",
        "{'type': 'string', 'pattern': '^(a|b$)'} | 'bc' | false",
        "{'type': 'string', 'pattern': '^\\\\p{L}+$'} | '蓝é' | true",
        "{'type': 'string', 'pattern': '^{[a-z]+}$'} | '{ab}' | true",
        "{'type': 'string', 'pattern': '^.*?a$'} | 'bca' | true",
      })
  void textsAreToldApart(String schema, String text, boolean valid) {
    TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema.replace('\'', '"'));
    assertEquals(valid, Structured.accepts(constraint, text.replace('\'', '"')));
  }
}
