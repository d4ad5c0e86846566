package casework

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"
)

// A clone is what a store gives back, and shares nothing with its original, whatever fields a case gets later.
func TestClone(t *testing.T) {
	c := &Case{}
	fill(reflect.ValueOf(c).Elem(), 0)
	c.alarm, c.again = true, true
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var stored Case
	if err := json.Unmarshal(raw, &stored); err != nil {
		t.Fatal(err)
	}
	n := c.Clone()
	if !reflect.DeepEqual(*n, stored) {
		t.Errorf("a clone\n%+v\nis not what is stored\n%+v", *n, stored)
	}
	shared(t, "Case", reflect.ValueOf(c).Elem(), reflect.ValueOf(n).Elem())
	if empty := (&Case{}).Clone(); !reflect.DeepEqual(*empty, Case{}) {
		t.Errorf("%+v", *empty)
	}
}

// fill sets every exported field, two elements in each slice and map.
func fill(v reflect.Value, n int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2026, 1, 19, 8, n%60, 0, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n+i)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if v.Type() == reflect.TypeFor[*Case]() { // a case within a case: one that has only a name ends it
			v.Elem().FieldByName("Code").SetString("K7M4-692Q")
			return
		}
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n+1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n+i)
			fill(value, n+i)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(fmt.Sprint("x", n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(n) + 0.5)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n + 1))
	default:
		panic(v.Kind())
	}
}

// shared reports what both can change: the same pointer, map or backing array.
func shared(t *testing.T, path string, a, b reflect.Value) {
	if a.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if a.Pointer() == b.Pointer() && !a.IsNil() {
			t.Errorf("%s is shared", path)
		}
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			shared(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Pointer:
		if !a.IsNil() {
			shared(t, path, a.Elem(), b.Elem())
		}
	case reflect.Slice:
		for i := range a.Len() {
			shared(t, fmt.Sprint(path, "[", i, "]"), a.Index(i), b.Index(i))
		}
	case reflect.Map:
		for _, k := range a.MapKeys() {
			shared(t, fmt.Sprint(path, "[", k, "]"), a.MapIndex(k), b.MapIndex(k))
		}
	}
}
