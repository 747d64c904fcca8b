import ts from 'typescript';

/**
 * Every module that a source file names, however it does: import, export from, import type, import(), require(),
 * require.resolve(), import.meta.resolve(), declare module and jest's mocks.
 * @param {string} file
 * @param {string} text
 * @returns {{ specifier: string, line: number }[]}
 */
export function importsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found = [];
  const visit = (node) => {
    const name = moduleNamedBy(node);
    if (name && ts.isStringLiteralLike(name)) {
      const { line } = source.getLineAndCharacterOfPosition(name.getStart(source));
      found.push({ specifier: name.text, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** @returns {ts.Node | undefined} */
function moduleNamedBy(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return node.argument.literal;
  if (ts.isModuleDeclaration(node)) return node.name;
  if (ts.isCallExpression(node) && loadsModule(node.expression)) return node.arguments[0];
  return undefined;
}

function loadsModule(callee) {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require';
  if (!ts.isPropertyAccessExpression(callee)) return false;
  const { expression: object, name } = callee;
  if (ts.isMetaProperty(object)) return name.text === 'resolve';
  if (!ts.isIdentifier(object)) return false;
  if (object.text === 'require') return name.text === 'resolve';
  return object.text === 'jest' && /mock|actual/i.test(name.text);
}
